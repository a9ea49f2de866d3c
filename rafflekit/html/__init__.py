"""HTML for people, on screens and on paper: templates, texts in several languages, QR codes.

It knows neither HTTP nor the terminal; both faces use it. It needs the extra `http`.
"""
