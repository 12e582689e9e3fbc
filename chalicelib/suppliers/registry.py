"""The suppliers that the settings name."""

from collections.abc import Iterable, Mapping

from chalicelib.domain.times import Clock
from chalicelib.outbound import Fetch
from chalicelib.settings import SupplierConfig
from chalicelib.suppliers.contract import Supplier
from chalicelib.suppliers.main import MainSupplier
from chalicelib.suppliers.partner import PartnerSupplier

KINDS: Mapping[str, type[PartnerSupplier] | type[MainSupplier]] = {
    "partner": PartnerSupplier,
    "main": MainSupplier,
}


def make_suppliers(
    configs: Iterable[SupplierConfig], fetch: Fetch, clock: Clock
) -> dict[str, Supplier]:
    """Each supplier by its name, in the order of the settings.

    Made once in a process: a supplier's breaker, and what it knows of its server, are its own.
    """
    return {config.name: KINDS[config.kind](config, fetch, clock) for config in configs}
