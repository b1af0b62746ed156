/** Words of the Core Business Vocabulary 2.0 and the GS1 Web Vocabulary, in the short form that EPCIS 2.0 in JSON uses. */

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}

/** Business steps, CBV 2.0 section 7.1. */
export const BIZ_STEPS: ReadonlySet<string> = words(`
  accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting decommissioning departing
  destroying disassembling dispensing encoding entering_exiting holding inspecting installing killing loading other packing picking receiving
  removing repackaging repairing replacing reserving retail_selling shipping staging_outbound stock_taking stocking storing transporting
  unloading unpacking void_shipping sensor_reporting sampling`)

/** Dispositions, CBV 2.0 section 7.2. */
export const DISPOSITIONS: ReadonlySet<string> = words(`
  active container_closed damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive no_pedigree_match
  non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unknown
  available completeness_verified completeness_inferred conformant container_open mismatch_instance mismatch_class mismatch_quantity
  needs_replacement non_conformant unavailable`)

/** Business transaction types, CBV 2.0 section 7.3. */
export const BIZ_TRANSACTION_TYPES: ReadonlySet<string> = words(`
  bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt`)

/** Source and destination types, CBV 2.0 section 7.4. */
export const SOURCE_DESTINATION_TYPES: ReadonlySet<string> = words(`
  owning_party possessing_party location`)

/** Error reasons, CBV 2.0 section 7.5. */
export const ERROR_REASONS: ReadonlySet<string> = words(`
  did_not_occur incorrect_data`)

/** Components of a measurement, CBV 2.0 section 7.8. */
export const COMPONENTS: ReadonlySet<string> = words(`
  x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude longitude altitude`)

/** Sensor alerts, GS1 Web Vocabulary. */
export const SENSOR_ALERTS: ReadonlySet<string> = words(`
  ALARM_CONDITION ERROR_CONDITION`)

/** Kinds of measurement, GS1 Web Vocabulary. */
export const MEASUREMENTS: ReadonlySet<string> = words(`
  AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance AmountOfSubstancePerUnitVolume Angle
  AngularAcceleration AngularMomentum AngularVelocity Area Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
  DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force
  Frequency Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux
  MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy
  MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed
  SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`)
