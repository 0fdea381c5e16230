"""How the sheets of pictures look; without what draws them, which not everybody has."""

PAGE, INK, FAINT = "#ffffff", "#1f2933", "#6b7684"
TILE_GROUND, REAL_FRAME, GENERATED_FRAME = "#eef1f4", "#2f6fde", "#c5ccd4"
MARGIN_PX, GAP_PX, CAPTION_PX, SECTION_PX = 28, 12, 20, 34
