"""Whether a server keeps spec B (rental-api.txt) as we rely on it: `manage.py supplier check`.

`target.py` asks the server and remembers what it answered and rents; `answers.py` reads answers
strictly; `reading.py`, `renting.py`, `closing.py` and `bodies.py` hold the checks; `run.py` runs
them. What we ask of a server is told to partners in docs/becoming-a-supplier.md.
"""

from chalicelib.suppliers.conformance.probe import Probe
from chalicelib.suppliers.conformance.run import (
    CHECKS,
    Outcome,
    Result,
    budget,
    prepare,
    run,
    slowest,
)
from chalicelib.suppliers.conformance.target import (
    Target,
    UnreachableError,
    send_over_http,
    shown,
)

__all__ = [
    "CHECKS",
    "Outcome",
    "Probe",
    "Result",
    "Target",
    "UnreachableError",
    "budget",
    "prepare",
    "run",
    "send_over_http",
    "shown",
    "slowest",
]
