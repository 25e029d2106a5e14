"""Tables: rows of numbers, categories, booleans and dates, from files larger than memory."""
