"""Who calls spec A, and what its answers look like."""

from dataclasses import dataclass, field
from typing import Any

from chalice.test import HTTPResponse

from chalicelib.domain.user import User
from chalicelib.stores import db
from chalicelib.stores.tables import UserRow
from tests.world import World, get

SYSTEM_KEY = "the-system-key"
US, GB = 840, 826
MISSING = "Missing or invalid credentials"


@dataclass
class Caller:
    """Somebody who calls get-number, rightly until a test spoils it."""

    world: World
    user: User
    key: str
    query: dict[str, object] = field(default_factory=lambda: {"country_id": US})

    def spoil(self, **attributes: Any) -> None:
        """Change the user as it is stored, before anybody has looked."""
        actions = [getattr(UserRow, name).set(value) for name, value in attributes.items()]
        db.update(UserRow(self.user.user_id), actions, UserRow.status.exists())

    def by_system(self) -> None:
        """Call with the system key for that user."""
        self.key = SYSTEM_KEY
        self.query["user_id"] = self.user.user_id

    def ask(self, **headers: str) -> HTTPResponse:
        return get(f"/api/get-number/{self.key}", headers, **self.query)


def told(response: HTTPResponse, status: int, message: str) -> None:
    """The answer is that error, and says nothing else."""
    body = response.json_body
    assert (response.status_code, body) == (status, {"status": "error", "message": message})


def number_of(response: HTTPResponse) -> str:
    assert response.status_code == 200, response.body
    body = response.json_body
    assert body == {"status": "success", "data": body["data"]}
    assert list(body["data"]) == ["phone_number"]
    number: str = body["data"]["phone_number"]
    return number


def caller_in(world: World) -> Caller:
    """A user with money and a key, and one number in stock."""
    world.stock(1)
    user = world.user()
    return Caller(world, user, world.key(user))
