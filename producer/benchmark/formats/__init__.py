"""One reader for each format of a file or folder: records out, whose columns mean nothing yet."""
