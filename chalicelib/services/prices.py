"""Prices that the admin sets for a country, an operator, a service."""

from dataclasses import dataclass

from chalicelib.domain.money import NOTHING, Micros
from chalicelib.domain.pricing import PriceRule
from chalicelib.errors import NotFoundError
from chalicelib.services.catalogue import Catalogue
from chalicelib.stores import catalogue as store
from chalicelib.stores.catalogue import Operator
from chalicelib.stores.db import RefusedError


@dataclass(frozen=True, slots=True)
class Prices:
    """The rules by which the stock is priced."""

    catalogue: Catalogue

    def all(self) -> tuple[list[Operator], list[PriceRule]]:
        """Every operator with its own price, and every rule that counts before those."""
        return self.catalogue.operators(), self.catalogue.price_rules()

    def set(
        self, country: object, operator_id: int | None, service: str, price: Micros | None
    ) -> PriceRule | None:
        """Set the price in a country, of one operator or all, for one service or (with "") all.

        None removes it, and what is less specific counts again. The stock is counted at once.
        Raises InvalidInputError, NotFoundError if there is no such operator, or nothing to remove.
        """
        code = self.catalogue.checked_country(country)
        theirs = {one.operator_id for one in self.catalogue.operators() if one.country == code}
        if operator_id is not None and operator_id not in theirs:
            raise NotFoundError(
                "operator_not_found", f"There is no such operator in {code}.", field="operator_id"
            )
        rule = PriceRule(code, operator_id, service, NOTHING if price is None else price)
        if price is not None:
            store.put_price(rule)
        else:
            self._remove(rule)
        self.catalogue.count_stock()
        return rule if price is not None else None

    @staticmethod
    def _remove(rule: PriceRule) -> None:
        try:
            store.remove_price(rule)
        except RefusedError:
            raise NotFoundError("price_not_found", "There is no such price rule.") from None
