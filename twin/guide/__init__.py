"""The guide: chapters in Markdown, what keeps them true, and what builds a site of them."""
