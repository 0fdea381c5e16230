"""PNG files that say of themselves that a model made them.

Source: IPTC Photo Metadata Standard 2025.1, "Digital Source Type"; PNG specification (third
edition), section 11.3.3 for the text chunks; XMP specification, part 3, for XMP in PNG.
"""

import io

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
COMPRESS_LEVEL = 1  # of 9: two thirds of the time of level 3, at 1 to 14% more bytes
COMMENT = "Synthetic image: made by a trained model, not taken by a camera."
XMP = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/">
   <Iptc4xmpExt:DigitalSourceType>{DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
   <xmp:CreatorTool>goodmany</xmp:CreatorTool>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def encode_synthetic_png(pixels: np.ndarray) -> bytes:
    """The pixels, losslessly, with the mark of a synthetic image.

    The bytes depend on the pixels alone: no date, no path, no version.

    Args:
        pixels: (H, W, 3) uint8, sRGB.
    """
    marks = PngInfo()
    marks.add_itxt("XML:com.adobe.xmp", XMP)
    marks.add_text("Software", "goodmany")
    marks.add_text("Comment", COMMENT)
    return _encode(Image.fromarray(pixels), marks)


def encode_real_png(image: Image.Image) -> bytes:
    """A real image's pixels, losslessly, and nothing else of its file (no Exif, no place)."""
    return _encode(Image.fromarray(np.asarray(image.convert("RGB"))), PngInfo())


def _encode(image: Image.Image, marks: PngInfo) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=marks, compress_level=COMPRESS_LEVEL)
    return buffer.getvalue()
