"""Words by which a name in another language is known, so that it is not read as English.

WordNet here is English: "Kappe rot" is no putrefaction, "tornillo" no shrub, and the "plate" of
"rondelle plate" no plate. A name in another language is used as it stands.
"""

import re

from models.prompt.word_list import word_list

# Of German, French, Spanish, Italian, Portuguese, Dutch; none of them is the name of a part, a
# colour or a little word in English, or so rarely that the bare name loses nothing.
LITTLE_WORDS = word_list(
    """
    mit ohne für aus und der das dem zum zur vom de du des la le les un une et avec sans pour
    sur los las del di della dello degli gli uma voor zonder het och
    """
)
COLOURS_AND_SIDES = word_list(
    """
    rot blau grün gelb schwarz weiß weiss grau links rechts oben unten rouge bleu vert verte
    jaune noir noire blanc blanche gris grise gauche droite rojo roja azul verde amarillo
    amarilla negra blanco blanca rosso rossa nero nera bianco bianca preto preta branco branca
    rood zwart inox edelstahl stahl messing kupfer acier laiton cuivre acero laton acciaio
    ottone aço
    """
)
PARTS = word_list(
    """
    schraube schrauben mutter muttern bolzen scheibe unterlegscheibe dichtung feder welle rohr
    schlauch deckel kappe gehäuse stift niet niete nagel haken kette zahnrad pumpe ventil
    flansch kabel stecker buchse schalter sicherung widerstand kondensator spule platine flasche
    glas becher tasche beutel schachtel etikett holz leder gummi faden knopf teppich fliese
    gitter kapsel haselnuss keks zange klinge messer schere bürste kerze teil blech hülse vis
    boulon écrou ecrou rondelle ressort roulement bague tuyau bouchon couvercle boîtier goupille
    clou engrenage roue moteur pompe vanne fiche prise bobine bouteille boîte verre bois cuir
    tissu tapis carreau gélule comprimé noisette marteau tournevis couteau brosse bougie torique
    courroie poulie tornillo tuerca perno arandela muelle resorte cojinete eje anillo manguera
    tapa tapón cubierta carcasa clavo gancho rueda bomba válvula enchufe botella lata caja
    madera cuero tela botón alfombra azulejo rejilla pastilla avellana galleta martillo vite
    viti dado dadi bullone rondella guarnizione molla cuscinetto albero anello piastra tubo
    tappo coperchio catena ingranaggio ruota valvola cavo bottiglia scatola legno pelle tessuto
    piastrella griglia nocciola parafuso porca arruela mola rolamento tampa mangueira garrafa
    schroef moer veer klep stekker fles doos hout rooster skruv mutteri ruuvi
    """
)
# English too, within a name (a lager bottle, a single dose vial); alone, a part elsewhere.
ALONE = word_list(
    """
    bride dose fraise halter lager lame pile stern
    """
)
MARKS = LITTLE_WORDS | COLOURS_AND_SIDES | PARTS


def is_foreign(words: list[str]) -> bool:
    """Whether a name of these lower-case words is in another language than English."""
    if len(words) == 1 and words[0] in ALONE:
        return True
    return any(word in MARKS or _is_not_english(word) for word in words)


def _is_not_english(word: str) -> bool:
    """A letter that English does not write; "µ" and "Ω" are units."""
    return re.search(r"[^\W\d_a-zµμωø]", word) is not None
