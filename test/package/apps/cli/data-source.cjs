const { DataSource } = require('typeorm');

module.exports.AppDataSource = new DataSource({ type: 'postgres', url: process.env.POSTGRES_URL });
