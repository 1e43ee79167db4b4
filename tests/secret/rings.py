"""A keyring in memory, locked, forgetful or spoilt on demand."""

from __future__ import annotations

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Ring(KeyringBackend):
    """Keeps what it is given."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False
        self.spoils = False

    def _require_open(self) -> None:
        if self.is_locked:
            raise KeyringLocked("secret words of the backend")

    def get_password(self, service: str, username: str) -> str | None:
        self._require_open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._require_open()
        self.kept[service, username] = "x" if self.spoils else password

    def delete_password(self, service: str, username: str) -> None:
        self._require_open()
        del self.kept[service, username]
