"""What users have, to Records: files, shapes of records, labels."""
