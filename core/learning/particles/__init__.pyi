from .finding import find_by_shape as find_by_shape
from .finding import find_particles as find_particles
from .finding import find_with as find_with
from .finding import way_to_particles as way_to_particles
from .model import ParticleCard as ParticleCard
from .model import load_particle_model as load_particle_model
from .model import save_particle_model as save_particle_model
from .network import ParticleNetwork as ParticleNetwork
