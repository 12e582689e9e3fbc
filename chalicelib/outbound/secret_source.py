"""Secrets kept in AWS: read when first needed, and looked at again after five minutes.

An ARN names either a secret of Secrets Manager or a parameter of SSM's Parameter Store. So keys
are rotated without a deployment, and no template, environment or log ever holds one.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.environment import SettingsError
from chalicelib.outbound.aws_clients import SharedClient

MOST_AGE_SECONDS = 300.0
RETRY_SECONDS = 30.0
"""How long the secrets in hand are kept on after they could not be read again."""

_ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>secretsmanager|ssm):(?P<region>[a-z0-9-]+):\d{12}:"
    r"(?P<kind>secret:|parameter/)[^\s*?]+"
)
_KINDS = {"secretsmanager": "secret:", "ssm": "parameter/"}

log = logging.getLogger(__name__)


class SecretSource:
    """The text behind one ARN, as it was when last read."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._arn = ""
        self._text = ""
        self._look_again_at = 0.0
        self._client: SharedClient | None = None

    def read(self, arn: str) -> str:
        """The text, from AWS unless it was read within five minutes. Raises SettingsError."""
        if arn != self._arn or self._monotonic() >= self._look_again_at:
            self._text = self._fetched(arn)
            self._arn = arn
            self._look_again_at = self._monotonic() + MOST_AGE_SECONDS
        return self._text

    def changed(self) -> bool:
        """Whether the text is another than was read before; nothing is asked for five minutes.

        When AWS gives no answer, what was read stays, and AWS is asked again 30 s later.
        """
        if not self._arn or self._monotonic() < self._look_again_at:
            return False
        before = self._text
        try:
            return self.read(self._arn) != before
        except SettingsError as error:
            self._look_again_at = self._monotonic() + RETRY_SECONDS
            log.warning("the secrets stay as they were: %s", error)
            return False

    def _fetched(self, arn: str) -> str:
        found = _ARN.fullmatch(arn)
        if found is None or _KINDS[found["service"]] != found["kind"]:
            raise SettingsError(
                "SESAME_SECRETS_ARN: expected the ARN of a secret of Secrets Manager or of a "
                "parameter of SSM."
            )
        if self._client is None or arn != self._arn:
            self._client = _client_of(found["service"], found["region"])
        try:
            return _text_of(self._client.get(), found["service"], arn)
        except ClientError as error:
            raise _unreadable(error.response["Error"]["Code"]) from None
        except (BotoCoreError, KeyError) as error:
            raise _unreadable(type(error).__name__) from None


def _client_of(service: str, region: str) -> SharedClient:
    config = Config(
        connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3}
    )
    return SharedClient(service, config, region=region)


def _text_of(client: Any, service: str, arn: str) -> str:
    if service == "ssm":
        return str(client.get_parameter(Name=arn, WithDecryption=True)["Parameter"]["Value"])
    return str(client.get_secret_value(SecretId=arn)["SecretString"])


def _unreadable(why: str) -> SettingsError:
    return SettingsError(f"SESAME_SECRETS_ARN: what it names can't be read ({why}).")
