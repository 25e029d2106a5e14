"""Small runs of every kind of data, trained when a test first asks for one."""

from functools import partial

import numpy as np
import pytest

from tacit.data.clouds.shapes import shapes
from tacit.data.generated import clusters, pairs, table
from tacit.data.networks.generated import communities, molecules
from tacit.data.series.generated import rhythms
from tacit.data.sounds.generated import diphthongs
from tacit.data.text.generated import topics
from tacit.data.video.generated import moving_letters
from tacit.exporting.export import export
from tacit.pretraining import pretrain
from tests.encoders.test_pretrained_text import home  # noqa: F401 (a fixture: a small BERT, and texts that name it)

QUICK = {"epochs": 1, "batch": 32, "device": "cpu", "precision": "fp32", "quiet": True}


def long_rhythms():
    """Series with gaps."""
    samples = rhythms(60)
    values = np.array(samples.values)
    values[::7] = np.nan
    samples.values, samples.gaps = values, True
    return samples


MADE = {  # encoder, or method where it represents otherwise: data, method, options
    "small_vit": (
        "cloth",
        "mae",
        {"width": 16, "depth": 1, "heads": 1, "decoder_width": 8, "decoder_depth": 1, "decoder_heads": 1},
    ),
    "mlp": (partial(clusters, 100, dim=8), "simclr", {"width": 8, "depth": 1}),
    "pointnet": (partial(shapes, 40), "simclr", {"points": 32, "width": 8}),
    "dgcnn": (partial(shapes, 40), "simclr", {"points": 32, "width": 8, "depth": [8, 8], "edges": 4}),
    "point_transformer": (
        partial(shapes, 40),
        "simclr",
        {"points": 32, "groups": 4, "near": 4, "width": 12, "depth": 1, "heads": 1},
    ),
    "small_r3d": (partial(moving_letters, 40, size=16), "simclr", {"width": 4, "depth": [1]}),
    "frame_resnet": (partial(moving_letters, 40, size=16), "simclr", {"width": 4, "depth": [1]}),
    "tcn": (long_rhythms, "simclr", {"width": 8, "depth": 2}),
    "patch_transformer": (
        partial(rhythms, 60),
        "simclr",
        {"width": 12, "depth": 1, "heads": 1, "scaling": "series", "every": 2},
    ),
    "strided_conv": (partial(rhythms, 60), "simclr", {"width": 8}),
    "conv_gru": (partial(rhythms, 60), "simclr", {"width": 8}),
    "cpc": (partial(rhythms, 60), "cpc", {"width": 8, "ahead": 2, "negatives": 4}),
    "spectrogram_cnn": (partial(diphthongs, 40), "simclr", {"width": 8, "stages": 2, "seconds": 0.2}),
    "spectrogram_transformer": (partial(diphthongs, 40), "simclr", {"width": 12, "depth": 1, "heads": 1, "seconds": 0.2}),
    "wave_convolutions": (partial(diphthongs, 40), "simclr", {"width": 8, "seconds": 0.2}),
    "table_mlp": (partial(table, 100), "simclr", {"width": 16, "depth": 1}),
    "feature_tokens": (partial(table, 100), "t_jepa", {"width": 16, "depth": 1, "heads": 1, "predictor_depth": 1}),
    "averaged": (partial(topics, 100), "simcse", {"width": 16}),
    "averaged_ngrams": (partial(topics, 100), "simcse", {"width": 16, "buckets": 500}),
    "text_transformer": (partial(topics, 100), "simcse", {"width": 16, "depth": 1, "heads": 1}),
    "gcn": (partial(communities, 120), "vgae", {"middle": 8, "width": 8}),
    "gat": (partial(communities, 120), "grace", {"middle": 8, "width": 8}),
    "sage": (partial(communities, 120), "grace", {"middle": 8, "width": 8}),
    "gin": (partial(communities, 120), "grace", {"middle": 8, "width": 8}),
    "node_autoencoder": (partial(communities, 60), "scgc", {"clusters": 3, "widths": [8], "width": 4}),
    "graph_gin": (partial(molecules, 60, 16, 16), "simclr", {"width": 8, "depth": 2}),
    "mean_gin": (partial(molecules, 60, 16, 16), "simclr", {"width": 8, "depth": 2}),
    "dual": (partial(pairs, 100), "convirt", {"dim": 8}),
}


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """The file and the card of a run on images, which takes seconds to make. Nobody changes them."""
    out = tmp_path_factory.mktemp("exported") / "a.onnx"
    export(trained, out=out)
    return out


@pytest.fixture(scope="session")
def made(cloth, tmp_path_factory):
    """A function from a name to a run and its data; each is trained once."""
    folder, done = tmp_path_factory.mktemp("exported"), {}

    def run_of(name):
        if name not in done:
            data, method, options = MADE[name]
            samples = cloth if data == "cloth" else data()
            encoder = {} if name == "cpc" else {"encoder": name}
            done[name] = pretrain(samples, method, out=folder / name, **encoder, **QUICK, **options), samples
        return done[name]

    return run_of
