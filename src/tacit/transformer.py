"""A transformer for scikit-learn: rows of a table become what an encoder, pretrained on them without labels, says of them.

    from tacit.transformer import TableTransformer
    make_pipeline(TableTransformer("vicreg", epochs=20), LogisticRegression())

Importing this module imports scikit-learn (`pip install scikit-learn`), which nothing else in the package does.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from tacit.data.tabular.files import Said
from tacit.data.tabular.rows import from_arrow
from tacit.method import Batch, Method
from tacit.pretraining import pretrain

ROWS = 4096  # represented together


class TableTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Pretrain on the rows given to `fit`, whose `y` is never looked at; `transform` gives n × d float32.

    method, encoder  as for `tacit.pretrain`: a key of `tacit methods`, and an encoder of tables
    epochs, seed     of the training; equal seeds give equal numbers
    options          any other option of method, recipe, views or encoder, by its name
    columns          types by the names of columns, where they are not to be inferred: number, category, boolean, date, ignore

    X is an array of numbers (NaN: missing), a pyarrow.Table, or a pandas frame of numbers, words, booleans and dates, missing
    ones too. Categories that `fit` never saw are read as 'another value', with a warning. Errors are scikit-learn's where X is
    no table, and `tacit.TacitError` where an option is wrong.
    """

    def __init__(
        self,
        method: str = "simclr",
        *,
        encoder: str = "table_mlp",
        epochs: int = 20,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
        columns: Mapping[str, str] | None = None,
    ):
        self.method, self.encoder, self.epochs, self.seed = method, encoder, epochs, seed
        self.options, self.columns = options, columns

    def fit(self, X: Any, y: Any = None) -> "TableTransformer":
        """Train without labels; `y` is ignored."""
        samples = from_arrow(self._table(X, reset=True), "X", Said(columns=dict(self.columns or {})), labelled=False)
        with tempfile.TemporaryDirectory() as folder:
            run = pretrain(
                samples,
                self.method,
                out=Path(folder) / "run",
                encoder=self.encoder,
                epochs=self.epochs,
                seed=self.seed,
                quiet=True,
                **dict(self.options or {}),
            )
            model = run.encoder if run.method is None else run.method
        assert model is not None  # a method on a table has an encoder
        self.model_, self.views_ = model.cpu().double().eval(), run.views
        self._n_features_out = self._represented(samples, np.arange(1)).shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The representations of rows: n × d, float32, each whatever other rows there are."""
        check_is_fitted(self)
        samples = from_arrow(self._table(X, reset=False), "X", Said(columns=dict(self.columns or {})), labelled=False)
        pieces = [np.arange(at, min(at + ROWS, len(samples))) for at in range(0, len(samples), ROWS)]
        return np.concatenate([self._represented(samples, rows) for rows in pieces])

    @torch.no_grad()
    def _represented(self, samples: Any, rows: np.ndarray) -> np.ndarray:
        """In float64, so that a row's numbers do not depend on how many are computed together."""
        view = self.views_.look(samples.read(rows)[0], rows, 0, "plain")[0].double()
        if isinstance(self.model_, Method):
            return self.model_.represent(Batch([view], torch.from_numpy(rows))).float().numpy()
        return self.model_(view).float().numpy()

    def _table(self, X: Any, reset: bool) -> pa.Table:
        if isinstance(X, pa.Table) or hasattr(X, "iloc"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X if isinstance(X, pa.Table) else pa.Table.from_pandas(X, preserve_index=False)
        least = 2 if reset else 1  # later the number of columns is that of `fit`
        X = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
            ensure_min_samples=least,
            ensure_min_features=least,
        )
        return pa.table({f"x{place}": column for place, column in enumerate(X.T)})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags
