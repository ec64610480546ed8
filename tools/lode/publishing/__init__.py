"""Putting artifacts where others take them: CVMFS repositories."""
