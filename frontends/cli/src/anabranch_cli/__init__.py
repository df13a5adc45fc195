"""The command line of Anabranch."""
