"""The daily record (item 14): a day counted, shown, judged by one person, reviewed by another."""
