"""The REST API's conventions, which no app departs from."""
