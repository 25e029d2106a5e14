"""Numbers of time series: nearest neighbours, forecasts, anomalies."""
