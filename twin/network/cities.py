"""Where many people live: the 50 largest urban agglomerations of the world.

Populations are of mid-2018, in millions, rounded; places are those of the city centres, to about
a kilometre.

References
----------
United Nations, Department of Economic and Social Affairs, Population Division, "World
Urbanization Prospects: The 2018 Revision", file 11 (urban agglomerations by population).
"""

from twin.scenario.ground import Site

CITIES: tuple[tuple[str, float, float, float], ...] = (
    # name, latitude_deg, longitude_deg, population in millions
    ("Tokyo", 35.69, 139.75, 37.5),
    ("Delhi", 28.67, 77.22, 28.5),
    ("Shanghai", 31.22, 121.46, 25.6),
    ("São Paulo", -23.55, -46.64, 21.7),
    ("Mexico City", 19.43, -99.13, 21.6),
    ("Cairo", 30.04, 31.24, 20.1),
    ("Mumbai", 19.07, 72.88, 20.0),
    ("Beijing", 39.90, 116.40, 19.6),
    ("Dhaka", 23.71, 90.41, 19.6),
    ("Osaka", 34.69, 135.50, 19.3),
    ("New York", 40.72, -74.00, 18.8),
    ("Karachi", 24.86, 67.01, 15.4),
    ("Buenos Aires", -34.60, -58.38, 15.0),
    ("Chongqing", 29.56, 106.55, 14.8),
    ("Istanbul", 41.01, 28.95, 14.8),
    ("Kolkata", 22.57, 88.36, 14.7),
    ("Manila", 14.60, 120.98, 13.5),
    ("Lagos", 6.45, 3.39, 13.5),
    ("Rio de Janeiro", -22.91, -43.20, 13.3),
    ("Tianjin", 39.14, 117.20, 13.2),
    ("Kinshasa", -4.32, 15.31, 13.2),
    ("Guangzhou", 23.13, 113.26, 12.6),
    ("Los Angeles", 34.05, -118.24, 12.5),
    ("Moscow", 55.75, 37.62, 12.4),
    ("Shenzhen", 22.54, 114.06, 11.9),
    ("Lahore", 31.55, 74.34, 11.7),
    ("Bengaluru", 12.97, 77.59, 11.4),
    ("Paris", 48.86, 2.35, 10.9),
    ("Bogotá", 4.61, -74.08, 10.6),
    ("Jakarta", -6.21, 106.85, 10.5),
    ("Chennai", 13.08, 80.27, 10.5),
    ("Lima", -12.05, -77.04, 10.4),
    ("Bangkok", 13.75, 100.50, 10.2),
    ("Seoul", 37.57, 126.98, 10.0),
    ("Nagoya", 35.18, 136.91, 9.5),
    ("Hyderabad", 17.39, 78.49, 9.5),
    ("London", 51.51, -0.13, 9.0),
    ("Tehran", 35.69, 51.39, 8.9),
    ("Chicago", 41.88, -87.63, 8.9),
    ("Chengdu", 30.67, 104.07, 8.8),
    ("Nanjing", 32.06, 118.78, 8.2),
    ("Wuhan", 30.58, 114.29, 8.2),
    ("Ho Chi Minh City", 10.78, 106.70, 8.1),
    ("Luanda", -8.84, 13.23, 7.8),
    ("Ahmedabad", 23.03, 72.58, 7.7),
    ("Kuala Lumpur", 3.14, 101.69, 7.6),
    ("Xi'an", 34.26, 108.94, 7.4),
    ("Hong Kong", 22.30, 114.17, 7.4),
    ("Dongguan", 23.02, 113.75, 7.4),
    ("Hangzhou", 30.27, 120.16, 7.2),
)


def city_sites() -> tuple[Site, ...]:
    """Return the cities as ground sites at sea level, weighted by population."""
    return tuple(
        Site(name=name, latitude_deg=latitude, longitude_deg=longitude, weight=millions)
        for name, latitude, longitude, millions in CITIES
    )
