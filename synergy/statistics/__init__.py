"""What estimators, verification and experiments share: results, intervals, folds, errors and decisions."""
