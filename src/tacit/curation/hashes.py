"""Near duplicates by what pictures look like: the 64-bit difference hash."""

from collections.abc import Sequence
from io import BytesIO

import numba
import numpy as np
from PIL import Image

from tacit.method import Paper

PAPER = Paper(
    "Less is More: Selective Reduction of CT Data for Self-Supervised Pre-Training of Deep Learning Models with Contrastive "
    "Learning Improves Downstream Classification Performance",
    "Wolf, Payer, Lisson, Lisson, Beer, Götz, Ropinski",
    2024,
    "arXiv:2410.14524",
)
BITS = 64
LARGEST = 1 << 20  # pixels of a thumbnail that is decoded


def hashes_of(pictures: Sequence[bytes | None]) -> tuple[np.ndarray, np.ndarray]:
    """Encoded pictures, PNG or JPEG -> their hashes (uint64, n), and which of them are pictures that can be read (bool, n)."""
    small = np.zeros((len(pictures), 8, 9), np.uint8)
    known = np.zeros(len(pictures), bool)
    for place, picture in enumerate(pictures):
        if picture is not None:
            try:
                image = Image.open(BytesIO(picture), formats=("PNG", "JPEG"))
                if image.width * image.height <= LARGEST:
                    small[place] = shrunk(image)
                    known[place] = True
            except (OSError, SyntaxError, ValueError):  # Pillow's words for what is no picture
                known[place] = False
    return difference_hashes(small), known


def shrunk(image: Image.Image) -> np.ndarray:
    """Grey, 8 × 9: uint8."""
    return np.asarray(image.convert("L").resize((9, 8), Image.Resampling.LANCZOS))


def difference_hashes(small: np.ndarray) -> np.ndarray:
    """n × 8 × 9 grey values -> whether each is darker than its right neighbour, as 64 bits: uint64, n."""
    bits = small[:, :, 1:] > small[:, :, :-1]
    return np.packbits(bits.reshape(len(small), BITS), axis=1).view(np.uint64)[:, 0]


def unlike(hashes: np.ndarray, groups: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Go through the pictures of each group in order, keep one unless its hash is within `most` bits of one kept before.

    hashes  uint64, n
    groups  int64, n: pictures are compared within a group only, such as a volume or a folder

    Returns for each picture the kept one of its group that it is most like (int64, n; −1 where it is kept itself) and in how
    many bits they differ. Wolf et al. 2024, section 3: of the slices of a CT volume kept ones differ in more than 6 bits.
    What is kept depends on the order; slices that follow one another should stand so. Time is that of each picture with the
    kept ones of its group.

    checked: Wolfda95/Less_is_More@c3ca90d, whose file names sort slice 10 before slice 2; the order here is the caller's.
    """
    of, bits = np.full(len(hashes), -1), np.zeros(len(hashes), np.int64)
    order = np.argsort(groups, kind="stable")
    _keep(hashes[order], groups[order], order, most, of, bits)
    return of, bits


@numba.njit(cache=True, nogil=True)
def _keep(hashes, groups, order, most, of, bits):
    kept, begun, count = np.empty(len(hashes), np.int64), 0, 0
    for i in range(len(hashes)):
        if i and groups[i] != groups[i - 1]:
            begun = count
        least, nearest = most + 1, -1
        for j in range(begun, count):
            different = _ones(hashes[i] ^ hashes[kept[j]])
            if different < least:
                least, nearest = different, kept[j]
        if nearest >= 0:
            of[order[i]], bits[order[i]] = order[nearest], least
        else:
            kept[count] = i
            count += 1


@numba.njit(cache=True, inline="always")
def _ones(word):
    """How many bits of a word are set (Hacker's Delight, figure 5-2)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))
