"""What only pages and slides need: the look, quizzes, exercises, and a room for each chapter."""
