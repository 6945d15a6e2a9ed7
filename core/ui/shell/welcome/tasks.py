"""The tasks of the app: their pages, titles, icons, and what each promises."""

TASKS = {
    "pages/1_Classify.py": ("Classify", ":material/category:"),
    "pages/2_Explain.py": ("Explain", ":material/visibility:"),
    "pages/3_Filters.py": ("Filters", ":material/tune:"),
    "pages/4_Cluster.py": ("Cluster", ":material/bubble_chart:"),
    "pages/5_Segment.py": ("Segment", ":material/shapes:"),
    "pages/6_Batch_Report.py": ("Batch Report", ":material/lab_profile:"),
    "pages/7_Train.py": ("Train", ":material/model_training:"),
    "pages/8_Compare.py": ("Compare", ":material/lasso_select:"),
}
PROMISES = {
    "pages/1_Classify.py": "Which morphology is it, and how sure is the network?",
    "pages/2_Explain.py": "Where in the frame does the network find its evidence?",
    "pages/3_Filters.py": "Chain filters and compare before with after.",
    "pages/4_Cluster.py": "Group pixels into clusters; measure areas and regions.",
    "pages/5_Segment.py": "Objects by strokes or thresholds, mended by hand, counted and sized.",
    "pages/6_Batch_Report.py": "Many micrographs at once: tables and a report to keep.",
    "pages/7_Train.py": "Your own classes in a minute, with an honest score.",
    "pages/8_Compare.py": "Who is like whom? Name samples by a loop, find doubles.",
}
