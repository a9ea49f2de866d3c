"""Beacons that drand published, and how its relays write them."""

import json
from hashlib import sha256

ROUND = 1000
SIGNATURE = bytes.fromhex(
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)
RANDOMNESS = bytes.fromhex("fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd")

OTHER_ROUNDS = {
    42: bytes.fromhex(
        "95a9f9f5b231b7714de1553105d8ffdf3dcda24cfdb1e689319bccf79a9c8ce430a91b811fbfaf763900bc998b5d686a"
    ),
    657413: bytes.fromhex(
        "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"
    ),
}

FASTNET = (
    5713537,
    bytes.fromhex("9391bf57538cf1c0012fabc0d933408d21f785324bcbb4f9850503e5a31e268f6e523e1c1db91ab4bf950752474e1580"),
)
"""Of the chain before quicknet: a signature on G1 as well, hashed to the curve in another way, with another key."""

DEFAULT_CHAIN = (
    5347804,
    bytes.fromhex(
        "92daf5745411a415b539caebda0b523fa20d4d12b28eb2fe427decdf5dcc976046a9c83b54f1db991fa191ffca8fcbdc"
        "07563036664f6ba47dcf00593559286f667574f6b0a2ba0be2683463b5bf3472e5696ac28b75d5b2223dbb98a56c96a3"
    ),
)
"""Of the League of Entropy's first chain: a signature on G2."""


def relay_json(round: int = ROUND, signature: bytes = SIGNATURE) -> str:
    """Return a beacon as version 1 of the HTTP API has it, with the randomness that goes with the signature."""
    return json.dumps({"round": round, "randomness": sha256(signature).hexdigest(), "signature": signature.hex()})
