"""What a study labels, and what it asks: labels, landmarks, boxes, questions, trees."""
