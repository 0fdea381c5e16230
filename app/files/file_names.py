"""What a downloaded file is called at the client's.

Source: RFC 6266 (Content-Disposition), RFC 8187 (names beyond ASCII).
"""

import re
import unicodedata
from urllib.parse import quote

# Of no use to some file system: separators, what shells and Windows refuse, control characters.
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
NOT_PLAIN = re.compile(r"[^A-Za-z0-9._ ()+-]+")
# What may stand as it is in the encoded form: RFC 8187's attr-char beside letters and digits.
ATTR_CHARS = "!#$&+-.^_`|~"


def content_disposition(name: str, suffix: str) -> str:
    """The header that has the file saved as `name` and `suffix`, any letters of the world in it.

    A client that does not know RFC 8187 gets what is left of the name in ASCII.

    Args:
        name: such as an object's name.
        suffix: ASCII, what makes the file's name complete.
    """
    full = f"{_tidy(UNSAFE.sub('_', name))}{suffix}"
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = f"{_tidy(NOT_PLAIN.sub('_', ascii_name))}{suffix}"
    header = f'attachment; filename="{plain}"'
    return header if plain == full else f"{header}; filename*=UTF-8''{quote(full, ATTR_CHARS)}"


def _tidy(name: str) -> str:
    """Without what hides a file or vanishes at its name's end; never empty."""
    return name.strip(" ._") or "object"
