"""The report: everything a verification found, as one HTML file that needs nothing else."""

from synergy.report.build import render_report, write_report

__all__ = ["render_report", "write_report"]
