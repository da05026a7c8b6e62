"""Evidence for the number of classes: criteria, bootstrap and Vuong tests, stability, rivals, spurious classes."""
