"""Landscapes and selections as Plotly figures. Pure: data in, figure out, no Streamlit."""
