"""The versions of one portfolio at a URL: each an object of its own that is created once and never replaced.

`NAME.sync/00000001.json` and so on, with the portfolio's file and its ledger; large ones are packed (gzip). With a
passphrase every version is encrypted, in the age format, for a key that lies beside them as `key.age`, itself encrypted
with the passphrase: so one slow step opens all of them.
"""

from __future__ import annotations

import base64
import datetime as dt
import difflib
import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import InputError, RebalancerError, error
from engine.phrase import Phrase, phrase

FORMAT = 1
#: Where the passphrase comes from, if the system's keyring does not have it.
PASSPHRASE = "REBALANCER_SYNC_PASSPHRASE"  # noqa: S105 - the name of a variable
#: What the keyring may hold in place of the environment, under this service.
SERVICE = "rebalancer-sync"
SCHEMES: Mapping[str, tuple[str, ...]] = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_SERVICE_ACCOUNT_KEY",),
    "az": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_KEY"),
}
_NUMBERED = re.compile(r"(?:^|/)(\d{8})[^/]*\.json$")
_KEY = "key.age"
_AGE, _PACKED = b"age-encryption.org", b"\x1f\x8b"
#: Bytes from which on a version is packed.
_LARGE = 50_000
#: Versions that a version names as those it was made from, the newest first: so that old ones can be deleted.
_ANCESTORS = 1000
#: Seconds for a connection, for an answer, and for trying again; so a server that hangs costs about a minute.
_CONNECT, _ANSWER, _AGAIN = 10, 30, 40
_RETRIES, _AT_ONCE = 3, 8
#: A file system that cannot make a second name for a file (Unix, Mac, Windows).
_NO_LINKS = re.compile(r"os error (1|17|38|45|50|95|524)\)")


class SyncFailed(RebalancerError):
    """The other side could not be reached, or what is there cannot be read."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version at the URL: its number, its identity, those it was made from, the portfolio's file and its ledger.

    `parents` are those merged in it, `ancestors` all that it comes from, the newest first, as far as they are known.
    """

    number: int
    id: str
    parents: tuple[str, ...]
    suffix: str
    data: bytes
    ledger: str
    ancestors: tuple[str, ...] = ()

    @property
    def print(self) -> str:
        """Return the print of its file."""
        return hashlib.sha256(self.data).hexdigest()

    def document(self) -> bytes:
        """Return the version as the JSON that is stored."""
        body = {
            "format": FORMAT, "id": self.id, "parents": list(self.parents),
            "ancestors": list(self.ancestors[:_ANCESTORS]), "suffix": self.suffix,
            "data": base64.b64encode(self.data).decode(), "ledger": self.ledger,
            "sha256": hashlib.sha256(self.data + self.ledger.encode()).hexdigest(),
        }  # fmt: skip
        return json.dumps(body).encode()

    @classmethod
    def parsed(cls, raw: bytes, number: int) -> Version | None:
        """Return a stored version; None for what is no whole one. Raises SyncFailed for one of a newer format."""
        try:
            body = json.loads(gzip.decompress(raw) if raw.startswith(_PACKED) else raw)
            data, ledger = base64.b64decode(body["data"]), str(body["ledger"])
            whole = hashlib.sha256(data + ledger.encode()).hexdigest() == body["sha256"]
            version, identity, parents = body["format"], str(body["id"]), tuple(map(str, body["parents"]))
            ancestors = tuple(map(str, body.get("ancestors", ())))
            suffix = str(body["suffix"])
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError):
            return None
        if version != FORMAT:
            raise SyncFailed(phrase("sync-newer", version=version, known=FORMAT))
        return cls(number, identity, parents, suffix, data, ledger, ancestors) if whole else None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object at the URL: its path, the number it stands for, and a mark that changes where its content does."""

    path: str
    number: int
    mark: str


class Shelf:
    """The versions of one portfolio at a URL: a folder, s3://, gs:// or az://.

    Credentials come from the environment, else from the system's keyring. Raises InputError for a URL that is none, or
    a folder that is not there.
    """

    def __init__(self, url: str, name: str, passphrase: str = "") -> None:
        from obstore.exceptions import BaseError

        self._passphrase, self._folder, self._failure = passphrase, f"{name}.sync", BaseError
        self._url, self._local = url, "://" not in url
        self._store: Any = _store_of(url)

    def listing(self) -> tuple[StoredObject, ...]:
        """Return what is there, by number: whole versions and copies under way, none of it read yet."""
        import obstore

        found = []
        for one in self._asked(lambda: obstore.list(self._store, self._folder).collect()):
            path = str(one["path"])
            # OneDrive and Dropbox name a second one "00000007-PC.json" or "00000007 (PC's conflicted copy).json".
            if number := _NUMBERED.search(path):
                mark = one.get("e_tag") or f"{one['size']} {one['last_modified'].isoformat()}"
                found.append(StoredObject(path, int(number[1]), str(mark)))
        return tuple(sorted(found, key=lambda one: (one.number, one.path)))

    def read(self, listed: StoredObject) -> Version | None:
        """Return what is stored there; None for what is no whole version (a copy under way), or gone by now."""
        import obstore
        from obstore.exceptions import NotFoundError

        try:
            raw = bytes(self._asked(lambda: obstore.get(self._store, listed.path).bytes(), NotFoundError))
        except (NotFoundError, FileNotFoundError):
            return None
        if raw.startswith(_AGE):
            opened = self._opened(raw)
            return Version.parsed(opened, listed.number) if opened else None
        if self._passphrase and raw:
            raise SyncFailed(phrase("sync-not-encrypted", path=listed.path, variable=PASSPHRASE))
        return Version.parsed(raw, listed.number)

    def read_all(self, listed: Iterable[StoredObject]) -> dict[str, Version]:
        """Return the whole ones of some objects by their paths, asked for several at once."""
        wanted = tuple(listed)
        if len(wanted) < _AT_ONCE:
            found = [self.read(one) for one in wanted]
        else:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                found = list(pool.map(self.read, wanted))
        return {one.path: version for one, version in zip(wanted, found, strict=True) if version}

    def versions(self) -> list[Version]:
        """Return every version that is there, copies in conflict included, by number."""
        return list(self.read_all(self.listing()).values())

    def create(self, version: Version) -> StoredObject | None:
        """Put a version there, and return what it is listed as; None where another has its number already."""
        path = f"{self._folder}/{version.number:08d}.json"
        body = version.document()
        body = gzip.compress(body, mtime=0) if len(body) > _LARGE else body
        mark = self._created(path, self._sealed(body))
        if mark is not None:
            return StoredObject(path, version.number, mark)
        # It may be ours: the answer to an earlier try was lost.
        there = next((one for one in self.listing() if one.path == path), None)
        mine = self.read(there) if there else None
        return there if mine and mine.id == version.id else None

    def _created(self, path: str, data: bytes) -> str | None:
        """Put an object there, and return its mark; None where there is one already."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        taken = (AlreadyExistsError, PreconditionError, FileExistsError)
        try:
            return str(obstore.put(self._store, path, data, mode="create").get("e_tag") or "")
        except taken:
            return None
        except (self._failure, OSError) as fault:
            if self._local and _NO_LINKS.search(str(fault)):
                return self._created_plainly(path, data)
            raise _failed(self._url, fault) from None

    def _created_plainly(self, path: str, data: bytes) -> str | None:
        """Create a file where the file system has no second names for one; half of it is no version, and is let be."""
        place = Path(self._url) / path
        try:
            place.parent.mkdir(exist_ok=True)
            with place.open("xb") as file:
                try:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    place.unlink()
                    raise
        except FileExistsError:
            return None
        except OSError as fault:
            raise _failed(self._url, fault) from None
        return next((one.mark for one in self.listing() if one.path == path), "")

    def _asked(self, ask: Any, *passed: type[BaseException]) -> Any:  # noqa: ANN401 - what is asked for
        """Return an answer; raises SyncFailed where there is none, in words, but what is passed on."""
        try:
            return ask()
        except (self._failure, OSError) as fault:
            if isinstance(fault, passed):
                raise
            raise _failed(self._url, fault) from None

    def _key_paths(self) -> list[str]:
        """Return where the keys lie: two, where two computers began in copies of a folder."""
        import obstore

        paths = [str(one["path"]) for one in self._asked(lambda: obstore.list(self._store, self._folder).collect())]
        return sorted(path for path in paths if path.endswith(".age"))

    def _keys(self) -> list[bytes]:
        import obstore

        return [bytes(self._asked(lambda at=at: obstore.get(self._store, at).bytes())) for at in self._key_paths()]

    def _sealed(self, data: bytes) -> bytes:
        if not self._passphrase:
            if self._key_paths():
                raise SyncFailed(phrase("sync-needs-passphrase", variable=PASSPHRASE))
            self._read_newest()
            return data
        import pyrage

        kept = self._keys()
        if not kept:
            self._read_newest()
            made = str(pyrage.x25519.Identity.generate()).encode()
            # Whoever comes second takes the first one's.
            self._created(f"{self._folder}/{_KEY}", bytes(pyrage.passphrase.encrypt(made, self._passphrase)))
            kept = self._keys()
        public = pyrage.x25519.Identity.from_str(_unlocked(kept[0], self._passphrase)).to_public()
        return bytes(pyrage.encrypt(data, [public]))

    def _read_newest(self) -> None:
        """Raise where the newest version is encrypted and a new one would not be, or the other way round."""
        for one in self.listing()[-1:]:
            self.read(one)

    def _opened(self, raw: bytes) -> bytes | None:
        """Return what is encrypted; None where it is not whole."""
        import pyrage

        if not self._passphrase:
            raise SyncFailed(phrase("sync-needs-passphrase", variable=PASSPHRASE))
        if b"-> scrypt " in raw[:200]:  # as earlier versions of ours did
            return _unlocked(raw, self._passphrase).encode("latin-1")
        keys = [_unlocked(one, self._passphrase) for one in self._keys()]
        if not keys:
            raise SyncFailed(phrase("sync-no-key", file=_KEY))
        try:
            return bytes(pyrage.decrypt(raw, [pyrage.x25519.Identity.from_str(one) for one in keys]))
        except pyrage.DecryptError as fault:
            if "matching keys" in str(fault).lower():
                raise SyncFailed(phrase("sync-no-key", file=_KEY)) from None
            return None


@lru_cache(maxsize=8)
def _unlocked(raw: bytes, passphrase: str) -> str:
    """Return what a passphrase encrypts; slow on purpose (seconds), so that nobody tries many."""
    import pyrage

    try:
        return bytes(pyrage.passphrase.decrypt(raw, passphrase)).decode("latin-1")
    except pyrage.DecryptError:
        raise SyncFailed(phrase("sync-wrong-passphrase", variable=PASSPHRASE)) from None


def _store_of(url: str) -> Any:  # noqa: ANN401 - one of obstore's
    from obstore.exceptions import BaseError
    from obstore.store import LocalStore, from_url

    scheme, separator, rest = url.partition("://")
    if not separator:
        folder = Path(url)
        if not folder.is_dir():
            close = difflib.get_close_matches(folder.name, _folders(folder.parent), n=1)
            near = str(folder.with_name(close[0])) if close else ""
            raise InputError([error("sync-no-folder.near" if near else "sync-no-folder", url, near=near)])
        return LocalStore(folder.resolve())
    if "@" in rest.partition("/")[0] or "?" in rest:
        raise InputError([error("sync-url.secret", f"{scheme}://…")])
    if scheme not in SCHEMES or not rest.strip("/"):
        close = difflib.get_close_matches(scheme, SCHEMES, n=1)
        raise InputError([error("sync-url", url, schemes=[f"{one}://" for one in close or SCHEMES])])
    try:
        return from_url(url, config=_from_keyring(scheme), **_waits())  # type: ignore[call-overload]  # of any scheme
    except (BaseError, OSError, ValueError) as fault:
        raise _failed(url, fault) from None


def _waits() -> dict[str, Any]:
    """Return how long is waited for a server, and how often it is asked again."""
    # Options that are given here hide the environment's: a server on one's own network may be without encryption.
    plain = any(os.environ.get(f"{vendor}_ALLOW_HTTP", "").lower() == "true" for vendor in ("AWS", "AZURE", "GOOGLE"))
    return {
        "client_options": {"connect_timeout": f"{_CONNECT}s", "timeout": f"{_ANSWER}s", "allow_http": plain},
        "retry_config": {"max_retries": _RETRIES, "retry_timeout": dt.timedelta(seconds=_AGAIN)},
    }


def _folders(parent: Path) -> list[str]:
    try:
        return [one.name for one in parent.iterdir() if one.is_dir()]
    except OSError:
        return []


def _from_keyring(scheme: str) -> dict[str, str]:
    """Return the credentials that the system's keyring has, and the environment has not."""
    wanted = SCHEMES[scheme]
    if any(os.environ.get(name) for name in wanted):
        return {}
    return {name.lower(): found for name in wanted if (found := _kept(name))}


def _kept(name: str) -> str:
    """Return what the system's keyring keeps under a name of ours, "" where it has none."""
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, name) or ""
    except KeyringError:
        return ""


def passphrase_of(url: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the passphrase for a URL: the environment's, else the system keyring's (its own, any place's), else ""."""
    return environment.get(PASSPHRASE) or _kept(url) or _kept(PASSPHRASE)


#: What a failure is called by what its message says, the first that fits.
_REASONS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in (
    ("full", r"os error (28|112|122)\)|no space left|quota"),
    ("credentials", r"169\.254\.|metadata\.google|latest/api/token|missing.*(credential|key|account)"),
    ("denied", r"\b40[13]\b|forbidden|accessdenied|signaturedoesnotmatch|unauthori[sz]ed"),
    ("bucket", r"NoSuchBucket|\b404\b|not found"),
    ("server", r"\b(5\d\d|429)\b [A-Z]|server error"),
    ("permission", r"os error (13|30|5)\)|permission denied|read-only"),
    ("network", r"error sending request|timed? ?out|dns|connect|decoding response|body"),
))  # fmt: skip


def _failed(url: str, fault: BaseException) -> SyncFailed:
    """Return a failure in words: what it is, and what to do."""
    text = str(fault)
    told = text.partition("\n\nDebug source")[0].strip()
    kind = next((kind for kind, pattern in _REASONS if pattern.search(told)), "")
    names = SCHEMES.get(url.partition("://")[0], ())
    reason = " ".join(told.split())[:160] or type(fault).__name__
    return SyncFailed(_unreachable(kind, url, reason, names))


def _unreachable(kind: str, url: str, reason: str, names: tuple[str, ...]) -> Phrase:
    key = f"sync-unreachable.{kind}" if kind else "sync-unreachable"
    return phrase(key, url=url, reason=reason, names=names[:2], first=names[0] if names else "")
