"""The bar above every page, of the site and of Datasette."""

#: Words, and the addresses they lead to, below that of the release.
BAR = (
    ("Targets", "targets/"),
    ("Companions", "companions/"),
    ("Surveys", "surveys/"),
    ("Statistics", "statistics/"),
    ("Data", "data/"),
    ("Docs", "docs/"),
    ("SQL", "lyot"),
)
