"""British spellings of things, which WordNet knows less well than the American ones."""

AMERICAN = {
    "aluminium": "aluminum", "armour": "armor", "axe": "ax", "calliper": "caliper",
    "carburettor": "carburetor", "centre": "center", "colour": "color", "disc": "disk",
    "enamelled": "enameled", "fibre": "fiber",
    "fibreglass": "fiberglass", "galvanised": "galvanized", "grey": "gray",
    "jewellery": "jewelry", "kerb": "curb", "litre": "liter", "metre": "meter", "mould": "mold",
    "moulding": "molding", "plough": "plow", "sulphur": "sulfur", "tyre": "tire", "vice": "vise",
    "yoghurt": "yogurt",
}  # fmt: skip


def american(phrase: str) -> str:
    """The phrase with every word in its American spelling."""
    return " ".join(AMERICAN.get(word, word) for word in phrase.split())
