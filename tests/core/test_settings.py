"""Settings: read once, and never skipped when they are wrong."""

import inspect
from ipaddress import ip_network
from pathlib import Path

import pytest
from argon2.exceptions import HashingError

from rafflekit import InvalidSetting, RaffleEngine
from rafflekit.core import settings
from rafflekit.core.protocol.codes import CodeHasher, spell
from rafflekit.core.settings import ProxyHeader, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()
    assert Settings.from_env({variable.name: " " for variable in settings.VARIABLES}) == Settings()


def test_mapped_addresses_and_networks_count_as_ipv4() -> None:
    read = Settings.from_env({"MANAGER_IPS": "192.0.2.7, 10.0.0.0/8,2001:db8::/32,::ffff:203.0.113.0/120"})

    written = ["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "203.0.113.0/24"]
    assert read.manager_networks == tuple(ip_network(text) for text in written)


def test_all_mapped_addresses_are_all_of_ipv4() -> None:
    assert Settings.from_env({"MANAGER_IPS": "::ffff:0:0/96"}).manager_networks == (ip_network("0.0.0.0/0"),)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("MANAGER_IPS", "192.0.2.300", "not an IP address or network"),
        ("MANAGER_IPS", "192.0.2.7/24", "host bits"),
        ("MANAGER_IPS", "192.0.2.7,,192.0.2.8", "empty"),
        ("MANAGER_IPS", "manager.example", "not an IP address or network"),
        ("MANAGER_IPS", "fe80::1%eth0", "zone"),
        ("MANAGER_IPS", "fe80::%eth0/64", "zone"),
        ("MANAGER_IPS", "192.0.2.7;192.0.2.8", "not an IP address or network"),
        ("MANAGER_IPS", "192.0.2.07", "not an IP address or network"),
        ("MANAGER_IPS", "[2001:db8::1]", "not an IP address or network"),
        ("RAFFLEKIT_DESK_PASSES", "yes", "must be 'required', or not set"),
        ("RAFFLEKIT_TRUSTED_PROXIES", "proxy", "not an IP address or network"),
        ("RAFFLEKIT_TRUSTED_PROXIES", "10.0.0.1,", "empty"),
        ("RAFFLEKIT_PROXY_HEADER", "Via", "one of X-Forwarded-For, Forwarded, X-Real-IP"),
        ("RAFFLEKIT_PROXY_HEADER", "X_Forwarded_For", "one of X-Forwarded-For"),
        ("RAFFLEKIT_PROXY_HEADER", "X-Forwarded-For, Forwarded", "one of X-Forwarded-For"),
        ("RAFFLEKIT_METRICS_IPS", "prometheus", "not an IP address or network"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "https://raffle.example", "not a host name"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "raffle.example:8080", "not a host name"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "*", "not a host name"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "raffle.example..", "not a host name"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "-raffle.example", "not a host name"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "b\u00fccher.example", "not a host name"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "raffle.example\u212a", "not a host name"),
        ("RAFFLEKIT_ALLOWED_HOSTS", "[::1]", "not a host name"),
        ("RAFFLEKIT_DRAND_RELAYS", "https://drand.example, http://drand.example", "http"),
        ("RAFFLEKIT_IPV6_PREFIX", "/64", "not a whole number"),
        ("RAFFLEKIT_ARGON2_TIME_COST", "fast", "not a whole number"),
        ("RAFFLEKIT_ARGON2_MEMORY_KIB", "7", "too small"),
    ],
)
def test_a_wrong_setting_is_refused_with_name_and_reason(variable: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as refusal:
        Settings.from_env({variable: value})

    assert refusal.value.variable == variable
    assert refusal.value.value in value
    assert f"{variable} is {refusal.value.value!r}: " in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("MANAGER_IPS", "192.0.2.7,", "an entry between the commas is empty; remove that comma."),
        ("MANAGER_IPS", "fe80::1%eth0", "a zone (%…) does not identify a client; remove it."),
        (
            "RAFFLEKIT_ALLOWED_HOSTS",
            "*",
            "not a host name; give names in ASCII (raffle.example, xn--…), without scheme, port or path.",
        ),
        ("RAFFLEKIT_IPV6_PREFIX", "47", "too small; the minimum is 48."),
        ("RAFFLEKIT_IPV6_PREFIX", "129", "too large; the maximum is 128."),
        ("RAFFLEKIT_ARGON2_TIME_COST", "0", "too small; the minimum is 1."),
        ("RAFFLEKIT_ARGON2_MEMORY_KIB", "1", "too small; the minimum is 8."),
        ("RAFFLEKIT_ARGON2_TIME_COST", "1" * 10, "not a whole number of at most 9 digits."),
        (
            "RAFFLEKIT_DRAND_RELAYS",
            "https://drand.example,",
            "an entry between the commas is empty; remove that comma.",
        ),
    ],
)
def test_a_reason_says_what_to_write_instead(variable: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidSetting) as refusal:
        Settings.from_env({variable: value})

    assert (refusal.value.variable, refusal.value.reason) == (variable, reason)


def test_blanks_around_the_signing_keys_path_are_ignored() -> None:
    assert Settings.from_env({"RAFFLEKIT_SIGNING_KEY": " /srv/raffles.key\n"}).signing_key == Path("/srv/raffles.key")


def test_desk_passes_can_be_required() -> None:
    read = Settings.from_env({"RAFFLEKIT_DESK_PASSES": " required ", "MANAGER_IPS": "127.0.0.1"})

    assert read.desk_passes_required
    # Behind a proxy here, strangers would have a manager's address, but no pass.
    assert read.danger_at("0.0.0.0") is None


def test_the_relays_of_drand_are_read_in_their_order() -> None:
    read = Settings.from_env({"RAFFLEKIT_DRAND_RELAYS": "https://b.example/, https://a.example/drand"})

    assert read.drand_relays == ("https://b.example", "https://a.example/drand")


def test_blanks_around_the_database_url_are_ignored() -> None:
    read = Settings.from_env({"RAFFLEKIT_DATABASE_URL": " sqlite:////srv/raffles.db\n"})

    assert read.database_url == "sqlite:////srv/raffles.db"


def test_settings_do_not_show_a_password() -> None:
    assert "secret" not in repr(Settings.from_env({"RAFFLEKIT_DATABASE_URL": "postgresql://ann:secret@host/raffles"}))


def test_the_cost_of_a_hash_can_be_set() -> None:
    def cost(**given: str) -> str:
        hasher = Settings.from_env({f"RAFFLEKIT_ARGON2_{name}": value for name, value in given.items()}).code_hasher
        assert hasher is not None
        return hasher.hash_all([spell(bytes(15))])[0].split("$")[3]

    assert cost(TIME_COST="2") == "m=8,t=2,p=1"
    assert cost(MEMORY_KIB="16") == "m=16,t=1,p=1"
    assert cost(TIME_COST="3", MEMORY_KIB="24") == "m=24,t=3,p=1"


def test_of_two_costs_the_wrong_one_is_named() -> None:
    with pytest.raises(InvalidSetting) as refusal:
        Settings.from_env({"RAFFLEKIT_ARGON2_TIME_COST": "2", "RAFFLEKIT_ARGON2_MEMORY_KIB": "7"})

    assert (refusal.value.variable, refusal.value.value) == ("RAFFLEKIT_ARGON2_MEMORY_KIB", "7")


def test_costs_that_argon2_refuses_are_refused_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise HashingError("Memory allocation error")

    monkeypatch.setattr("rafflekit.core.protocol.codes.PasswordHasher.hash", refuse)
    with pytest.raises(InvalidSetting) as refusal:
        Settings.from_env({"RAFFLEKIT_ARGON2_TIME_COST": "2", "RAFFLEKIT_ARGON2_MEMORY_KIB": "9999999"})

    assert refusal.value.variable == "RAFFLEKIT_ARGON2_TIME_COST or RAFFLEKIT_ARGON2_MEMORY_KIB"
    assert refusal.value.value == "2, 9999999"


@pytest.mark.parametrize("bits", [48, 56, 128])
def test_the_bits_of_an_ipv6_participant_can_be_set(bits: int) -> None:
    assert Settings.from_env({"RAFFLEKIT_IPV6_PREFIX": f" {bits}\n"}).ipv6_prefix == bits


def test_by_default_managers_may_read_the_metrics() -> None:
    managers = {"MANAGER_IPS": "192.0.2.7"}

    assert Settings.from_env(managers).metrics_networks == (ip_network("192.0.2.7"),)
    named = Settings.from_env(managers | {"RAFFLEKIT_METRICS_IPS": "10.0.0.0/8"})
    assert named.metrics_networks == (ip_network("10.0.0.0/8"),)
    assert named.manager_networks == (ip_network("192.0.2.7"),)


def test_host_names_ignore_case() -> None:
    read = Settings.from_env({"RAFFLEKIT_ALLOWED_HOSTS": "Raffle.Example., fair.local,web_1,xn--bcher-kva.example"})

    assert read.allowed_hosts == {"raffle.example", "fair.local", "web_1", "xn--bcher-kva.example"}


@pytest.mark.parametrize("header", ProxyHeader)
def test_the_name_of_the_proxies_header_ignores_case(header: ProxyHeader) -> None:
    for text in (header, f" {header.lower()} ", header.upper()):
        assert Settings.from_env({"RAFFLEKIT_PROXY_HEADER": text}).proxy_header is header


def test_the_documented_costs_are_the_hashers_own() -> None:
    parameters = inspect.signature(CodeHasher).parameters

    assert settings.ARGON2_TIME_COST.default == str(parameters["time_cost"].default)
    assert settings.ARGON2_MEMORY_KIB.default == str(parameters["memory_kib"].default)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "write it as sqlite:///raffles.db"),
        ("raffles.db", "write it as sqlite:///raffles.db"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:///raffles.db?mode=ro", "a path only"),
        ("mysql://u:secret@h/d", "are supported"),
        ("postgresql+asyncpg://u:secret@h/d", "with psycopg as driver"),
        ("postgresql://u:se@secret@h/d", "written %40"),
        ("postgresql://u:secret", "write it as"),
        ("postgresql:u:secret", "write it as"),
    ],
)
def test_a_database_url_that_cannot_be_used_is_refused(url: str, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as refusal:
        RaffleEngine(url)

    assert "secret" not in str(refusal.value)


def test_the_public_url_is_an_allowed_host() -> None:
    settings = Settings.from_env({"RAFFLEKIT_PUBLIC_URL": " https://Raffle.example:8443/fair/ "})

    assert settings.public_url == "https://Raffle.example:8443/fair"
    assert settings.allowed_hosts == {"raffle.example"}


@pytest.mark.parametrize("text", ["raffle.example", "ftp://raffle.example", "https://", "https://a b", "http://a:x"])
def test_a_public_url_is_the_address_of_a_server(text: str) -> None:
    with pytest.raises(InvalidSetting, match="must be the address of a server, such as"):
        Settings.from_env({"RAFFLEKIT_PUBLIC_URL": text})


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("https://a.example/raffles/", "https://a.example"),
        ("http://a.example:8080/raffles/b3b0c6a1/poster/", "http://a.example:8080"),
        ("https://a.example/fair/desk/", "https://a.example/fair"),
        ("https://a.example/docs", "https://a.example"),
        ("https://a.example/fair/?x=1", "https://a.example/fair"),
        ("https://a.example/#top", "https://a.example"),
        ("https://user:secret@a.example/fair/", "https://a.example/fair"),
    ],
)
def test_a_public_url_is_not_one_of_a_page(text: str, server: str) -> None:
    with pytest.raises(InvalidSetting, match="must be the address of a server alone") as refusal:
        Settings.from_env({"RAFFLEKIT_PUBLIC_URL": text})

    assert str(refusal.value).endswith(f"; give {server}.")
    assert "secret" not in str(refusal.value)
