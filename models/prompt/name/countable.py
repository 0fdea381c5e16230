"""Whether "a" goes before a noun: a bottle, but leather, macaroni, steel wool.

WordNet does not say. Its materials and fabrics are masses, and these words beside them.
"""

from nltk.corpus.reader.wordnet import Synset

from models.prompt.name.reader import PAIRS
from models.prompt.word_list import word_list

# Masses that WordNet has among made things and food.
MASSES = word_list(
    """
    bacon bread butter cabling candy cheese chocolate clothing coffee corn cutlery denim dough
    equipment felt fiberglass fibreglass flour foam foil footwear furniture gauze glassware
    grease gum ham hardware honey insulation jewellery jewelry juice leather linoleum macaroni
    machinery meat milk netting packaging padding paint paper parquet pasta piping plywood
    popcorn rice rubber salt sandpaper soap spaghetti string sugar thread toast tofu toothpaste
    tubing upholstery veneer webbing wiring wood wool wrap yarn yoghurt yogurt
    """
)
# Single things that it has among materials and fabrics.
SINGLES = word_list(
    """
    bead board brick card conductor crystal fiber fibre filter gem granule insulator jewel label
    lath log mesh net pad semiconductor
    pearl pebble pellet pencil plank shingle slab sponge stone tapestry tile timber wafer web
    """
)


def is_mass(head: str, synset: Synset | None = None) -> bool:
    """Whether the noun `head`, in the meaning `synset` if one is known, takes no "a"."""
    if head in SINGLES or head in PAIRS:
        return False
    if synset is None:
        return head in MASSES
    above = {s.name() for path in synset.hypernym_paths() for s in path}
    is_cloth = "fabric.n.01" in above and "piece_of_cloth.n.01" not in above
    is_container = "container.n.01" in above
    is_material = synset.lexname() == "noun.substance" or is_cloth
    return is_material or (head in MASSES and not is_container)
