"""What tests of several kinds of data ask of a sheet of views."""

import numpy as np
from PIL import Image

import tacit


def sheet_has_columns(folder, method, columns, file):
    """A preview of two samples has so many columns, each with a picture in it."""
    made = tacit.preview(str(folder), method, out=file, count=2, small_crops=-1)
    picture = np.asarray(Image.open(made))
    assert picture.shape[1] == 12 + columns * 124
    for column in range(columns):
        assert (picture[27:139, 12 + 124 * column : 124 + 124 * column] != 255).any()
