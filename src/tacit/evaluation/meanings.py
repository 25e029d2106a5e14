"""How each metric is called and read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """How a metric is read."""

    title: str
    better: str  # "higher", "lower" or "" where neither is better by itself
    percent: bool = False  # stored as a fraction, shown in per cent
    needs_labels: bool = False


def _accuracy(title: str) -> Meaning:
    return Meaning(title, "higher", percent=True, needs_labels=True)


MEANINGS = {
    # with labels
    "knn": _accuracy("kNN accuracy"),
    "linear": _accuracy("Linear probe accuracy"),
    "low_label_10": _accuracy("Linear probe, 10 % of labels"),
    "low_label_1": _accuracy("Linear probe, 1 % of labels"),
    "few_nodes": _accuracy("Linear layer, 1 % of nodes"),
    "hyperedge_auroc": Meaning("Held-back hyperedges, AUROC", "higher", percent=True),
    "few_shot_5": _accuracy("5-shot accuracy"),
    "few_shot_1": _accuracy("1-shot accuracy"),
    "map": _accuracy("Retrieval mAP"),
    "recall_at_1": _accuracy("Recall at 1"),
    "recall_at_10": _accuracy("Recall at 10"),
    "ndcg_at_10": _accuracy("nDCG at 10"),
    "tail_recall_at_10": _accuracy("Recall at 10, seldom chosen"),
    "tail_ndcg_at_10": _accuracy("nDCG at 10, seldom chosen"),
    "recall_at_100": _accuracy("Recall at 100"),
    "sts_spearman": _accuracy("Likeness in meaning, Spearman"),
    "pair_auroc": Meaning("Pairs told apart, AUROC", "higher", percent=True, needs_labels=True),
    "cluster_accuracy": _accuracy("Clustering accuracy"),
    "nmi": _accuracy("Clusters and classes (NMI)"),
    "ari": _accuracy("Clusters and classes (ARI)"),
    "ood_auroc": _accuracy("Left-out class, AUROC"),
    "ood_fpr95": Meaning("Left-out class, FPR at 95 % TPR", "lower", percent=True, needs_labels=True),
    "r_auroc": Meaning("R-AUROC (uncertainty finds errors)", "higher", percent=True, needs_labels=True),
    "mean_classifier_accuracy": _accuracy("Mean classifier accuracy"),
    "mean_classifier_gap": Meaning("Contrastive bound above the mean classifier's loss", "", needs_labels=True),
    "partial_dependence": Meaning("Dependence of two parts that the label leaves", "lower", percent=True, needs_labels=True),
    "feature_accuracy": _accuracy("Linear probe of a feature"),
    "subclass_accuracy": _accuracy("Subclasses within a class"),
    "fine_tuned": _accuracy("Fine-tuned accuracy"),
    "few_shot_tuned": _accuracy("Fine-tuned on a few labels"),
    "above_frozen": Meaning("Points above frozen", "higher", needs_labels=True),
    "cross_validated": _accuracy("Cross-validated accuracy"),
    "majority": _accuracy("The commonest class"),
    "uncalibrated": Meaning("Calibration error before", "lower", percent=True, needs_labels=True),
    "calibrated": Meaning("Calibration error after", "lower", percent=True, needs_labels=True),
    "coverage": Meaning("Answered", "higher", percent=True, needs_labels=True),
    "answered_error": Meaning("Wrong among those answered", "lower", percent=True, needs_labels=True),
    "boosted": _accuracy("Boosted trees"),
    "dense_miou": _accuracy("Dense probe, mIoU"),
    "dense_accuracy": _accuracy("Dense probe, pixel accuracy"),
    "nodes_random": _accuracy("Nodes, random 10 % learned from"),
    "nodes_fixed": _accuracy("Nodes, the declared split"),
    "nodes_splits": _accuracy("Nodes, the declared splits"),
    "graphs_folds": _accuracy("Graphs, mean of ten folds"),
    "link_auc": Meaning("Edges held back, AUC", "higher", percent=True),
    "link_ap": Meaning("Edges held back, average precision", "higher", percent=True),
    # of time series
    "one_nearest": _accuracy("1-NN accuracy (Euclidean)"),
    "forecast_mse_24": Meaning("Forecast of 24 steps, MSE", "lower"),
    "forecast_mae_24": Meaning("Forecast of 24 steps, MAE", "lower"),
    "forecast_mse_48": Meaning("Forecast of 48 steps, MSE", "lower"),
    "forecast_mae_48": Meaning("Forecast of 48 steps, MAE", "lower"),
    "forecast_mse_168": Meaning("Forecast of 168 steps, MSE", "lower"),
    "forecast_mae_168": Meaning("Forecast of 168 steps, MAE", "lower"),
    "anomaly_auroc": Meaning("Unusual windows, AUROC", "higher", percent=True, needs_labels=True),
    "anomaly_found": Meaning("Highest score at the anomaly", "higher", percent=True, needs_labels=True),
    "tolerance": Meaning("Tolerance (similarity within a class)", "", needs_labels=True),
    # of links
    "mrr": Meaning("Mean reciprocal rank, filtered", "higher", needs_labels=True),
    "hits_at_1": _accuracy("Hits at 1, filtered"),
    "hits_at_3": _accuracy("Hits at 3, filtered"),
    "hits_at_10": _accuracy("Hits at 10, filtered"),
    "mean_rank": Meaning("Mean rank, filtered", "lower", needs_labels=True),
    "mrr_tail": Meaning("MRR of tails", "higher", needs_labels=True),
    "mrr_head": Meaning("MRR of heads", "higher", needs_labels=True),
    "mrr_directed": Meaning("MRR of relations with a direction", "higher", needs_labels=True),
    "hierarchy_map": _accuracy("Reconstruction mAP"),
    # of pairs
    "image_to_text_at_1": Meaning("Image to text, recall at 1", "higher", percent=True),
    "image_to_text_at_5": Meaning("Image to text, recall at 5", "higher", percent=True),
    "image_to_text_at_10": Meaning("Image to text, recall at 10", "higher", percent=True),
    "text_to_image_at_1": Meaning("Text to image, recall at 1", "higher", percent=True),
    "text_to_image_at_5": Meaning("Text to image, recall at 5", "higher", percent=True),
    "text_to_image_at_10": Meaning("Text to image, recall at 10", "higher", percent=True),
    "first_to_second_at_1": Meaning("First part to second, recall at 1", "higher", percent=True),
    "first_to_second_at_5": Meaning("First part to second, recall at 5", "higher", percent=True),
    "first_to_second_at_10": Meaning("First part to second, recall at 10", "higher", percent=True),
    "second_to_first_at_1": Meaning("Second part to first, recall at 1", "higher", percent=True),
    "second_to_first_at_5": Meaning("Second part to first, recall at 5", "higher", percent=True),
    "second_to_first_at_10": Meaning("Second part to first, recall at 10", "higher", percent=True),
    "zero_shot": _accuracy("Zero-shot accuracy, by the names of classes"),
    # without labels
    "rankme": Meaning("RankMe (effective rank)", "higher"),
    "alpha_req": Meaning("α-ReQ (decay, 1 is healthy)", ""),
    "lidar": Meaning("LiDAR (rank beyond the views)", "higher"),
    "alignment": Meaning("Alignment of two views", "lower"),
    "uniformity": Meaning("Uniformity", "lower"),
    "spread": Meaning("Spread (1 isotropic, 0 collapsed)", "higher"),
    "nesum": Meaning("NESum (evenness of the spectrum)", ""),
    "stable_rank": Meaning("Stable rank (not centred)", "higher"),
    "cluster_stability": Meaning("Clusters of two halves (adjusted Rand)", "higher"),
    "learnability": Meaning("Cluster learnability", "higher", percent=True),
    "rotation_accuracy": Meaning("Rotation probe accuracy", "higher", percent=True),
    "score_overlap": Meaning("Negatives above positives (1 − AUROC)", "lower", percent=True),
    "mi_infonce": Meaning("Mutual information, InfoNCE bound (nats)", ""),
    "mi_nwj": Meaning("Mutual information, NWJ bound (nats)", ""),
    # between two representations
    "cka": Meaning("CKA (linear)", ""),
    "cka_debiased": Meaning("CKA, debiased", ""),
    "neighbour_jaccard": Meaning("Shared neighbours (Jaccard)", ""),
    "neighbour_rank": Meaning("Order of shared neighbours", ""),
    "relative_cosine": Meaning("Cosine of relative representations", ""),
    "relative_mrr": Meaning("Retrieval across spaces (MRR)", ""),
    "stitching_accuracy": _accuracy("Zero-shot stitching accuracy"),
    "cluster_agreement": Meaning("Agreement of clusters (adjusted Rand)", ""),
}
