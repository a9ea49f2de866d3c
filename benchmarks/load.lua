-- wrk's side of a load: requests, the count of unexpected statuses, and one line of JSON at the end.
--   wrk -t1 -c16 -d2s -s load.lua URL -- METHOD STATUS FIRST ACCEPT
-- METHOD POST: each request comes from another address of 10.0.0.0/8, as a trusted proxy reports it, from the FIRST-th
-- on. Every answer must have STATUS. One thread of wrk (-t1) keeps the addresses different.

local method, expected, address = "GET", 200, 0
local constant
local threads = {}
answered, unexpected, example = 0, 0, 0

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   method, expected, address = args[1], tonumber(args[2]), tonumber(args[3])
   if method == "GET" then
      constant = wrk.format("GET", nil, { Accept = args[4] })
   end
end

function request()
   if constant then
      return constant
   end
   local high, middle, low = math.floor(address / 65536) % 256, math.floor(address / 256) % 256, address % 256
   address = address + 1
   return wrk.format("POST", nil, { Forwarded = "for=10." .. high .. "." .. middle .. "." .. low })
end

function response(status)
   answered = answered + 1
   if status ~= expected then
      unexpected = unexpected + 1
      example = status
   end
end

function done(summary, latency, _)
   local errors = summary.errors
   local unexpected_in_all, example_of_all = 0, 0
   for _, thread in ipairs(threads) do
      unexpected_in_all = unexpected_in_all + thread:get("unexpected")
      example_of_all = thread:get("example")
   end
   -- errors.status counts what unexpected counts, and every 201 of a wrk that takes it for an error.
   io.write(string.format(
      '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "unexpected": %d, "example": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      unexpected_in_all, example_of_all, errors.connect + errors.read + errors.write + errors.timeout))
end
