"""What connects: the nodes of graphs and hypergraphs, whole graphs, and triples, from files and arrays to samples."""
