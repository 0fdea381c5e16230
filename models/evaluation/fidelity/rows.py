"""What is compared with the real images: the recipes, the product, and the real other half."""

from models.evaluation.rows.moved import MOVED_ROWS
from models.evaluation.rows.plain import PLAIN_ROWS, ROWS, Row, find_row

GIVEN, REAL_HALF = "given", "real-half"
# Nothing is made for these: their images are real ones.
REAL_ROWS = (GIVEN, REAL_HALF)
FIDELITY_ROWS = (GIVEN, *MOVED_ROWS, "views", "goodmany", "paper", REAL_HALF)


def find_making_row(name: str) -> Row:
    """The row of a name; its function returns the real images first, then those made of them.

    Raises:
        ValueError: there is no such row, or it makes nothing.
    """
    if name in MOVED_ROWS:
        return MOVED_ROWS[name]
    if name in PLAIN_ROWS:
        raise ValueError(f"row {name!r} makes no images; {', '.join(REAL_ROWS)} are the real ones")
    if name not in ROWS and ":" not in name:
        known = dict.fromkeys((*FIDELITY_ROWS, *(row for row in ROWS if row not in PLAIN_ROWS)))
        raise ValueError(f"no row {name!r}; there are {', '.join(known)} and module:function")
    return find_row(name)
