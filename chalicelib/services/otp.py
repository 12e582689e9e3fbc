"""One-time codes, asked for: understood, priced, held against the account's limits, written down.

Two round trips: what there was, then the ticket with all that it moves. What sends it is told by a
queue. Source: otp-api.txt (spec C), DESIGN.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from chalicelib import telemetry
from chalicelib.domain import fraud
from chalicelib.domain.events import TICKET_EVENTS
from chalicelib.domain.fraud import Decision, Mode, RuleName
from chalicelib.domain.ids import new_ulid
from chalicelib.domain.lenient import read_request
from chalicelib.domain.money import Micros
from chalicelib.domain.otp import Channel, OtpDefaults, OtpRequest, Warning
from chalicelib.domain.otp_codes import code_digest, derive_code
from chalicelib.domain.otp_templates import template_for
from chalicelib.domain.otp_text import with_autofill
from chalicelib.domain.requests import RequestKey, first_answer
from chalicelib.domain.ticket import Sending, Ticket, is_worth_resending
from chalicelib.domain.times import SECOND, Clock, Millis, later
from chalicelib.domain.user import User
from chalicelib.errors import (
    BusyError,
    ForbiddenError,
    InsufficientBalanceError,
    LimitExceededError,
)
from chalicelib.services.low_balance import LowBalance, watched
from chalicelib.services.otp_accounts import OtpSettings, settings_of
from chalicelib.services.otp_destinations import Destinations, no_destination
from chalicelib.services.otp_tickets import OtpTickets
from chalicelib.settings import Settings
from chalicelib.stores import decisions, requests, tickets
from chalicelib.stores.db import RefusedError
from chalicelib.stores.tickets import Last, Terms

_MOST_TRIES = 5
_SHAPE_FIELDS = frozenset(
    {
        "code_length",
        "allow_digits",
        "allow_upper_case",
        "allow_lower_case",
        "allow_special_chars",
        "remove_confusing_characters",
    }
)


@dataclass(frozen=True, slots=True)
class Generated:
    """A code that is on its way."""

    ticket_number: str
    token: str = field(repr=False)
    warnings: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class _Asked:
    user: User
    wanted: OtpRequest
    account: OtpSettings
    warnings: Sequence[Warning]
    request: RequestKey | None
    price: Micros
    segments: int


@dataclass(frozen=True, slots=True)
class Otp:
    """Codes, as their users ask for them."""

    settings: Settings
    clock: Clock
    tickets: OtpTickets
    destinations: Destinations
    low_balance: LowBalance

    def generate(
        self,
        user: User,
        given: Mapping[str, object],
        request: RequestKey | None = None,
        *,
        is_form: bool = False,
    ) -> Generated:
        """Send a code to the number in `given`, as far as that can be understood.

        Of a form, all values are texts. The last code is sent again while it is good for it.
        Raises InvalidInputError (no usable number), ForbiddenError (destination, sender, account),
        InsufficientBalanceError, LimitExceededError, RequestKeyReusedError, ConflictError,
        BusyError.
        """
        account = settings_of(user)
        wanted, warnings = read_request(given, account.defaults, is_form=is_form)
        wanted, unrouted = self.destinations.routed(wanted)
        try:
            price, segments = self.destinations.price(wanted, account.defaults)
        except ForbiddenError:
            seen = requests.get(request, self.clock()) if request is not None else None
            if request is None or seen is None:
                raise
            # It was sent while it was allowed.
            return self._replayed(user, first_answer(request, seen))
        asked = _Asked(
            user=user,
            wanted=wanted,
            account=account,
            warnings=(*warnings, *unrouted),
            request=request,
            price=price,
            segments=segments,
        )
        spent: str | None = None
        for _ in range(_MOST_TRIES):
            try:
                return self._generated(asked, spent)
            except RefusedError as refusal:
                if request is not None and refusal.why.get("request") is not None:
                    return self._replayed(user, first_answer(request, refusal.why["request"]))
                _check_payer(refusal)
                spent = refusal.why.get("ticket", spent)
        raise BusyError

    def _generated(self, asked: _Asked, spent: str | None) -> Generated:
        """One try. `spent` is the token of a ticket whose code is of no more use."""
        user, wanted = asked.user, asked.wanted
        now = self.clock()
        counters = fraud.counters(
            asked.account.rules,
            user.user_id,
            wanted.phone_number,
            wanted.recipient_ip,
            asked.price,
            now,
        )
        before = tickets.before(user.user_id, wanted.phone_number, asked.request, counters, now)
        if asked.request is not None and before.seen is not None:
            return self._replayed(user, first_answer(asked.request, before.seen))
        met = [*_by_country(asked, now), *fraud.decisions(counters, before.counts)]
        self._check_limits(asked, [decision for decision in met if decision.blocked], now)
        last = before.last
        again = last is not None and last.token != spent and _is_the_same(last, wanted, now)
        ticket_number = last.ticket_number if last and again else new_ulid(now)
        warnings = [asdict(warning) for warning in asked.warnings]
        if last and again:
            warnings += [asdict(warning) for warning in _kept(last, wanted)]
        terms = Terms(
            request=asked.request,
            answer=json.dumps(
                {
                    "ticket_number": ticket_number,
                    "bound": bool(wanted.recipient_ip),
                    "warnings": warnings,
                }
            ),
            counters=counters,
            counts=before.counts,
            decisions=met,
            retention_days=self.settings.sms_retention_days,
        )
        sending = _sending(asked, now)
        if last and again:
            tickets.send_again(last, user.user_id, wanted.phone_number, sending, terms)
            token = last.token
        else:
            ticket = self._ticket(asked, ticket_number, sending)
            tickets.open(ticket, last, terms)
            token = ticket.token
        for decision in met:
            telemetry.count("FraudDecisions", rule=decision.rule, outcome="noted")
        telemetry.bind(ticket_number=ticket_number)
        self.tickets.tell(token)
        if watched(user):
            self.low_balance.look(user.user_id)
        return Generated(ticket_number, token, warnings)

    def _ticket(self, asked: _Asked, ticket_number: str, sending: Sending) -> Ticket:
        user, wanted = asked.user, asked.wanted
        pepper = self.settings.secrets.pepper
        token = self.tickets.token(user.user_id, ticket_number, bound=bool(wanted.recipient_ip))
        code = derive_code(pepper, token, wanted.shape)
        defaults = asked.account.defaults
        return Ticket(
            token=token,
            ticket_number=ticket_number,
            user_id=user.user_id,
            phone_number=wanted.phone_number,
            country=wanted.country,
            shape=wanted.shape,
            digest=code_digest(pepper, token, code, wanted.recipient_ip),
            recipient_ip=wanted.recipient_ip,
            max_attempts=wanted.max_wrong_attempts,
            created_at=sending.at,
            expires_at=later(sending.at, seconds=wanted.validity_period),
            voice_after=defaults.voice_after,
            voice_text=_voice_text(wanted, defaults) if defaults.voice_after else "",
            tells=(*user.asked_for(TICKET_EVENTS), *watched(user)),
            sendings=(sending,),
        )

    def _check_limits(self, asked: _Asked, blocked: Sequence[Decision], now: Millis) -> None:
        for decision in blocked:
            number, days = asked.wanted.phone_number, self.settings.sms_retention_days
            decisions.note(asked.user.user_id, number, decision, now, days)
            telemetry.count("FraudDecisions", rule=decision.rule, outcome="blocked")
            if decision.rule is RuleName.COUNTRY:
                raise no_destination(f"The account does not allow {asked.wanted.country}.")
            raise _limited(decision, now)

    def _replayed(self, user: User, answer: str) -> Generated:
        kept = json.loads(answer)
        token = self.tickets.token(user.user_id, kept["ticket_number"], bound=kept["bound"])
        return Generated(kept["ticket_number"], token, kept["warnings"])


def _by_country(asked: _Asked, now: Millis) -> Sequence[Decision]:
    """What the account's country rule decides."""
    mode = asked.account.rules[RuleName.COUNTRY].mode
    allowed = asked.account.defaults.countries
    if not allowed or asked.wanted.country in allowed or mode is Mode.OFF:
        return ()
    return (Decision(RuleName.COUNTRY, mode is Mode.BLOCK, now),)


def _check_payer(refusal: RefusedError) -> None:
    """Raise what a refusal by the user's item means; after any other, trying again tells more."""
    if "user" not in refusal.why:
        return
    user: User | None = refusal.why["user"]
    if user is None or not user.may_act():
        raise ForbiddenError("account_inactive", "This account is not approved or not active.")
    raise InsufficientBalanceError


def _voice_text(wanted: OtpRequest, defaults: OtpDefaults) -> str:
    """What a call says that follows the SMS: in the voice's language, unless it was spelled out."""
    if "text" in wanted.explicit:
        return wanted.text
    return template_for(wanted.language, wanted.country, defaults)


def _sending(asked: _Asked, now: Millis) -> Sending:
    wanted, autofill = asked.wanted, asked.account.defaults.autofill
    return Sending(
        sending_id=new_ulid(now),
        at=now,
        channel=wanted.channel,
        sender=wanted.sender,
        text=wanted.text,
        autofill=with_autofill("", autofill) if wanted.channel is Channel.SMS else "",
        language=wanted.language,
        gender=wanted.gender,
        segments=asked.segments,
        price=asked.price,
    )


def _is_the_same(last: Last, wanted: OtpRequest, now: Millis) -> bool:
    """Whether the code that was sent last is what is wanted now."""
    return (
        is_worth_resending(last.created_at, last.expires_at, now)
        and last.recipient_ip == wanted.recipient_ip
        and (last.shape == wanted.shape or not wanted.explicit & _SHAPE_FIELDS)
        and not any(
            name in wanted.explicit and getattr(wanted, name) < kept
            for name, kept in _securities(last).items()
        )
    )


def _securities(last: Last) -> Mapping[str, int]:
    """What a code that is sent again keeps: none of it may be wider than was asked for."""
    validity = (last.expires_at - last.created_at) // SECOND
    return {"validity_period": validity, "max_wrong_attempts": last.max_attempts}


def _kept(last: Last, wanted: OtpRequest) -> Sequence[Warning]:
    """What a code that is sent again keeps, though it was asked for otherwise."""
    return [
        Warning(name, getattr(wanted, name), used, "The code that was sent before keeps it.")
        for name, used in _securities(last).items()
        if name in wanted.explicit and getattr(wanted, name) != used
    ]


def _limited(decision: Decision, now: Millis) -> LimitExceededError:
    return LimitExceededError(
        "otp_limit_reached",
        f"The account's limit on codes by {decision.rule} is reached.",
        retry_after=max(1, -(-(decision.until - now) // SECOND)),
    )
