"""The table of contents: where the views and the native encoders of each kind of data live, imported when they are asked for.

A kind of data is a subclass of `data.samples.Samples` that names it, a file of views, and one of encoders, entered here.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Home(NamedTuple):
    """Addresses, "package.module:Class"."""

    views: str
    encoders: Mapping[str, str]  # by the names that users give; the first is the default
    judge: str = ""  # what `tacit evaluate` calls in place of kNN and its panel, if anything
    drawn: bool = True  # whether `tacit preview` draws its views


MODALITIES: Mapping[str, Home] = {
    "image": Home(
        "tacit.views.image:ImageViews",
        {
            "small_resnet": "tacit.encoders.image:SmallResNet",
            "small_vit": "tacit.encoders.image:SmallViT",
            "scattering": "tacit.encoders.scattering:ScatteringNet",
        },
    ),
    "vector": Home("tacit.views.vector:VectorViews", {"mlp": "tacit.encoders.vector:MLPEncoder"}),
    "graph": Home(
        "tacit.views.graph:GraphViews",
        {
            **{name: f"tacit.encoders.graph:{name.upper()}" for name in ("gcn", "sage", "gat", "gin")},
            "node_table": "tacit.encoders.node_table:NodeTable",
            "node_autoencoder": "tacit.encoders.node_autoencoder:NodeAutoencoder",
        },
        drawn=False,
    ),
    "graphs": Home(
        "tacit.views.graphs:GraphsViews",
        {"graph_gin": "tacit.encoders.graphs:GraphGIN", "mean_gin": "tacit.encoders.graphs:MeanGIN"},
        drawn=False,
    ),
    "cloud": Home(
        "tacit.views.cloud:CloudViews",
        {
            "pointnet": "tacit.encoders.cloud:PointNet",
            "dgcnn": "tacit.encoders.cloud:DGCNN",
            "point_transformer": "tacit.encoders.cloud:PointTransformer",
        },
    ),
    "video": Home(
        "tacit.views.video:VideoViews",
        {"small_r3d": "tacit.encoders.video:SmallR3D", "frame_resnet": "tacit.encoders.video:FrameResNet"},
    ),
    "series": Home(
        "tacit.views.series:SeriesViews",
        {
            "tcn": "tacit.encoders.series:DilatedTCN",
            "patch_transformer": "tacit.encoders.series:PatchTransformer",
            "strided_conv": "tacit.encoders.series:StridedConv",
            "conv_gru": "tacit.encoders.series:ConvGRU",
        },
    ),
    "audio": Home(
        "tacit.views.audio:AudioViews",
        {
            "spectrogram_cnn": "tacit.encoders.audio:SpectrogramCNN",
            "spectrogram_transformer": "tacit.encoders.audio:SpectrogramTransformer",
            "wave_convolutions": "tacit.encoders.audio:WaveConvolutions",
            "transformers_audio": "tacit.encoders.audio_models:TransformersAudio",
        },
    ),
    "hypergraph": Home("tacit.views.hypergraph:HypergraphViews", {"unigcnii": "tacit.encoders.hypergraph:UniGCNIIEncoder"}),
    "table": Home(
        "tacit.views.table:TableViews",
        {"table_mlp": "tacit.encoders.table:TableMLP", "feature_tokens": "tacit.encoders.table:FeatureTokens"},
    ),
    "text": Home(
        "tacit.views.text:TextViews",
        {
            "averaged": "tacit.encoders.text:Averaged",
            "text_transformer": "tacit.encoders.text:TextTransformer",
            "averaged_ngrams": "tacit.encoders.ngrams:AveragedNGrams",
            "transformers": "tacit.encoders.pretrained_text:Transformers",
        },
        "tacit.judging.texts:judge",
    ),
    "pair": Home("tacit.views.pair:PairViews", {"dual": "tacit.encoders.pair:DualEncoder"}, "tacit.judging.matching:judge"),
    "triples": Home(
        "tacit.views.triples:TripleViews",
        {"entities": "tacit.encoders.triples:EntityTable"},
        "tacit.judging.linking:judge",
        drawn=False,
    ),
    "interactions": Home(
        "tacit.views.interactions:InteractionViews",
        {"two_tower": "tacit.encoders.interactions:TwoTower"},
        "tacit.judging.recommending:judge",
        drawn=False,
    ),
}
