"""JSON text, as scripts read it."""

from __future__ import annotations

import json

from engine.documents import Document


def dump(document: Document) -> str:
    """Return the document as indented JSON text, ending in a newline."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
