"""Apache Deltacloud's REST API, over one broker."""
