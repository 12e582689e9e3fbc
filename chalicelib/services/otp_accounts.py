"""What accounts ask for of codes when a call does not say, and the limits that they set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.domain import fraud, fraud_rules, otp_defaults
from chalicelib.domain.fraud import Rules
from chalicelib.domain.ids import UserId
from chalicelib.domain.otp import OtpDefaults
from chalicelib.domain.times import Clock
from chalicelib.domain.user import User, UserStatus
from chalicelib.errors import BusyError, InvalidInputError
from chalicelib.services.accounts import Accounts, account_closed
from chalicelib.stores import decisions, profiles
from chalicelib.stores.db import RefusedError
from chalicelib.stores.decisions import NotedDecision

RULES = "rules"
MOST_BYTES = 64 * 1024
"""What an account may keep: its item is read with every call."""

_MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class OtpSettings:
    """An account's defaults for codes and its limits on them."""

    defaults: OtpDefaults
    rules: Rules


@dataclass(frozen=True, slots=True)
class OtpAccounts:
    """Reads and changes them."""

    clock: Clock
    accounts: Accounts

    def find(self, user_id: UserId) -> OtpSettings:
        """The settings of a user as they stand."""
        return settings_of(self.accounts.find(user_id))

    def change(self, user_id: UserId, given: Mapping[str, object]) -> OtpSettings:
        """Change the fields in `given`, `rules` among them, and no others.

        Raises InvalidInputError naming the field, ConflictError for a closed account.
        """
        for _ in range(_MOST_TRIES):
            seen = self.accounts.find(user_id)
            current = settings_of(seen)
            fields = {name: value for name, value in given.items() if name != RULES}
            changed = OtpSettings(
                otp_defaults.changed_defaults(current.defaults, fields),
                _rules(current.rules, given),
            )
            text = otp_defaults.dump(changed.defaults)
            if len(text.encode()) > MOST_BYTES:
                raise InvalidInputError("texts", f"at most {MOST_BYTES} bytes in all")
            try:
                profiles.set_otp(seen, text, fraud.dump(changed.rules))
            except RefusedError:
                if self.accounts.find(user_id).status is UserStatus.CLOSED:
                    raise account_closed() from None
                continue
            self.accounts.forget(user_id)
            return changed
        raise BusyError

    def decisions(
        self, user_id: UserId, before: str | None, *, limit: int
    ) -> tuple[Sequence[NotedDecision], str | None]:
        """One page of what the limits decided, the newest first; the second value continues it."""
        found, more = decisions.of_user(user_id, before, self.clock(), limit=limit)
        return found, found[-1].decision_id if more else None


def _rules(current: Rules, given: Mapping[str, object]) -> Rules:
    """The rules as changed; null sets all of them back, as it does any field."""
    if RULES in given and given[RULES] is None:
        return fraud.DEFAULT_RULES
    return fraud_rules.changed_rules(current, given.get(RULES, {}))


def settings_of(user: User) -> OtpSettings:
    """The settings in a user as it was read."""
    return _settings(user.otp, user.otp_rules)


@lru_cache(maxsize=1024)
def _settings(otp: str, rules: str) -> OtpSettings:
    return OtpSettings(otp_defaults.load(otp), fraud.load(rules))
