"""SCGC: clusters of nodes from their features alone, taught by their neighbourhoods."""

from typing import Any

from torch import Tensor
from torch.nn.functional import mse_loss

from tacit.errors import TacitError, positive
from tacit.method import Batch, Method, Paper, Recipe, Stage
from tacit.numerics.processes import gather
from tacit.objectives.neighbourhood_contrast import neighbourhood_contrast
from tacit.objectives.soft_clusters import clustering_divergence
from tacit.parts.clusters.centres import Centres
from tacit.parts.neighbourhood import Rebuilding, influence
from tacit.views.kinds import Plain

TITLE = "SCGC : Self-Supervised Contrastive Graph Clustering"
PAPER = Paper(TITLE, "Kulatilleke, Portmann, Chandra", 2022, "arXiv:2204.12656")
RECIPE = Recipe(lr=1e-3, batch=4096, schedule="constant", epochs=200)


class SCGC(Method):
    """A node's code is like those of its neighbourhood, gathers in clusters, and still tells the node's features.

    After `warm_up` epochs of the autoencoder alone, k-means finds the `clusters`. Weights: `alpha` of the contrast, `beta` of
    the clusters, `reconstruction` of the features. A neighbourhood is the sum of the powers of the adjacency in `orders`:
    (r,) in SCGC; SCGC*, recipe "star", has (1, …, r) and no reconstruction. `sharpness` (τ) multiplies cosines. The defaults
    are those of DBLP, where r is 1.

    checked: gayanku/SCGC@886ec27
    Compared: the three terms and their gradients, adjacency, its powers and their sums, by the code's own functions.
    Differs: the warm-up has whole batches, as many steps as SDCN's 30 epochs of batches of 256 at ACM, whose weights the code
    loads. In graphs of more nodes than a batch, neighbours, negatives and sizes of clusters are those of the batch. The paper
    reports the best epoch by the labels; here the last one stays.
    """

    paper = PAPER
    views = Plain(of={"graph": {"undirected": True}})
    whole_batch = True
    recipe = RECIPE
    recipes = {
        "star": RECIPE.but(options={"alpha": 1.0, "reconstruction": 0.0}),
        "citeseer": RECIPE.but(lr=1e-4, options={"alpha": 1.0, "clusters": 6}),
    }

    def __init__(
        self,
        encoder: Rebuilding,
        *,
        clusters: int = 4,
        alpha: float = 0.5,
        beta: float = 0.1,
        reconstruction: float = 1.0,
        orders: tuple[int, ...] = (1,),
        sharpness: float = 0.25,
    ):
        super().__init__(encoder)
        positive(clusters=clusters, sharpness=sharpness, orders=min(orders, default=0))
        if min(alpha, beta, reconstruction) < 0:
            raise TacitError(f"alpha, beta and reconstruction are {alpha}, {beta}, {reconstruction}; none may be below 0.")
        self.centres, self.alpha, self.beta = Centres(clusters, encoder.dim), alpha, beta
        self.reconstruction, self.orders, self.sharpness = reconstruction, tuple(orders), sharpness

    @classmethod
    def stages(cls, *, warm_up: int = 360, **own: Any):
        if warm_up:
            yield Stage(Autoencoder, recipe=RECIPE.but(epochs=warm_up))
        yield Stage(cls, **own)

    def before_epoch(self, embed):
        if self.progress == 0:
            self.centres.begin(embed())

    def step(self, batch: Batch):
        (view,) = batch
        z = self.encoder(view)
        contrast = neighbourhood_contrast(z, influence(view, gather(view.nodes[view.rows]), self.orders), self.sharpness)
        terms = {"contrast": (contrast, self.alpha), "clusters": (clustering_divergence(self.centres(z)), self.beta)}
        if self.reconstruction:
            told = self.encoder.rebuild(z).float()
            terms["features"] = (mse_loss(told, self.encoder.inputs(view)), self.reconstruction)
        return terms

    def predict(self, view: Any) -> Tensor:
        """The cluster of each node that a view is about: int64, n."""
        return self.centres(self.encoder(view)).argmax(1)


class Autoencoder(Method):
    """The warm-up: features of nodes are told from their codes."""

    paper, recipe = PAPER, RECIPE
    views = Plain()

    def __init__(self, encoder: Rebuilding):
        super().__init__(encoder)

    def step(self, batch: Batch):
        (view,) = batch
        return mse_loss(self.encoder.rebuild(self.encoder(view)).float(), self.encoder.inputs(view))
