"""Many callers after few numbers: what a rental costs in attempts."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.stack import Stack
from bench.wire import watched
from chalicelib.domain.user import User
from chalicelib.errors import BusyError, NotFoundError

THREADS = (1, 8, 32)
NUMBERS = (10, 100, 1000)
MOST_CALLS = 100
FIRST_OPERATOR = 100
# One for each cell, as a pool that was rented from is no longer full.
COUNTRIES = ("AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR")

CELLS = list(zip(COUNTRIES, itertools.product(NUMBERS, THREADS), strict=True))
POOLS = [
    (country, FIRST_OPERATOR + at, numbers) for at, (country, (numbers, _)) in enumerate(CELLS)
]


def measure(stack: Stack) -> list[dict[str, Any]]:
    """A row for each number of threads and of free numbers. Every thread is a user of its own."""
    users = [stack.user(f"renter-{at}") for at in range(max(THREADS))]
    return [_row(stack, users[:threads], country, numbers) for country, (numbers, threads) in CELLS]


def _row(stack: Stack, users: list[User], country: str, numbers: int) -> dict[str, Any]:
    share = max(1, min(numbers, MOST_CALLS) // len(users))
    gate = threading.Barrier(len(users))

    def rent(user: User) -> Counter[str]:
        gate.wait()
        return Counter(_outcome(stack, user, country) for _ in range(share))

    with watched() as wire, ThreadPoolExecutor(len(users)) as pool:
        outcomes = sum(pool.map(rent, users), Counter[str]())
    rented = outcomes["rented"]
    attempts = wire.operations["TransactWriteItems"]
    return {
        "numbers": numbers,
        "threads": len(users),
        "calls": share * len(users),
        "rented": rented,
        "no_number": outcomes["no_number"],
        "busy": outcomes["busy"],
        "attempts": attempts,
        "attempts_per_rental": round(attempts / rented, 2),
        "refusals": wire.refused,
        "conflicts": wire.conflicts,
        "queries": wire.operations["Query"],
    }


def _outcome(stack: Stack, user: User, country: str) -> str:
    try:
        stack.platform.rentals.rent(user, country, "")
    except NotFoundError:
        return "no_number"
    except BusyError:
        return "busy"
    return "rented"
