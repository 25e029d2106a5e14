"""What work in tiles is made of: threads, sums of exponentials, and the nearest of many centroids."""
