"""The KRX login: from the environment, else from the operating system's keyring; never shown, stored or logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.text import Bilingual

#: The keyring's service name; its entries are called KRX_ID and KRX_PW.
SERVICE = "rebalancer"
HOW = Bilingual(
    "set KRX_ID and KRX_PW in the environment, or `keyring set rebalancer KRX_ID` and `keyring set rebalancer KRX_PW`",
    "환경 변수 KRX_ID와 KRX_PW를 두거나 `keyring set rebalancer KRX_ID`, `keyring set rebalancer KRX_PW`를 실행하세요",
)


@dataclass(frozen=True, slots=True)
class Login:
    """Hold a login; its repr shows nothing of it."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def login(environment: Mapping[str, str]) -> Login | None:
    """Return the configured login, or None; a keyring that cannot be reached counts as empty."""
    user, password = environment.get("KRX_ID", ""), environment.get("KRX_PW", "")
    if not (user and password):
        user, password = _keyring("KRX_ID"), _keyring("KRX_PW")
    return Login(user, password) if user and password else None


def _keyring(name: str) -> str:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(SERVICE, name) or ""
    except (keyring.errors.KeyringError, RuntimeError, OSError):
        return ""
