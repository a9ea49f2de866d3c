"""The honest raffles whose documents are audited."""

from tests.tamper.making import bases
from tests.vectors.examples import witness

DRAND, SECRETS, MANY, EARLY, ANNOUNCED = (bases()[name] for name in ("drand", "secrets", "many", "early", "announced"))
KEY, WITNESS, CODE = str(DRAND.given.key), str(witness().verifier), str(DRAND.given.code)
RAFFLE = f"/raffles/{DRAND.example.terms.id}"
