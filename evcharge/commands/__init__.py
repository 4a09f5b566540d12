"""The project's own commands, one file each; importing ``roster`` puts them on the command line."""
