"""Long random tests, too slow for every run of the tests.

`SOAK_ROUNDS` is how many rounds there are of each, `SOAK_SEED` the number of the first. Each can be
repeated from its number.
"""

import os

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "20"))
FIRST = int(os.environ.get("SOAK_SEED", "0"))
NUMBERS = range(FIRST, FIRST + ROUNDS)
